-- depends: 0017_messages
-- Where archive_old_conversations() puts what is over; no default and no trigger but those of counters, rows come as
-- they were.
CREATE TABLE archived_conversations (
    id uuid,
    character_id uuid NOT NULL,
    user_id uuid,
    session_id varchar(255),
    status varchar(50) NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    message_count integer NOT NULL,
    user_rating double precision,
    feedback text,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archived_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT archived_conversations_character_id_fkey FOREIGN KEY (character_id)
    REFERENCES characters (id) ON DELETE CASCADE,
    CONSTRAINT archived_conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
);
ALTER TABLE archived_conversations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_conversations FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_conversations_character_idx ON archived_conversations (character_id, started_at);
CREATE INDEX archived_conversations_user_idx ON archived_conversations (user_id, started_at DESC);
CREATE INDEX archived_conversations_started_idx ON archived_conversations (started_at);

COMMENT ON TABLE archived_conversations IS
'Conversations that ended long ago, moved here by archive_old_conversations().';
COMMENT ON COLUMN archived_conversations.archived_at IS 'When it was moved here.';
