-- depends: 0012_user_memories
-- Where archive_old_conversations() puts what is kept; no default and no trigger, rows come as they were.
CREATE TABLE archived_conversations (
    id uuid,
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    title text,
    message_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    last_message_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    activated_at timestamptz NOT NULL,
    status text GENERATED ALWAYS AS ('closed') STORED,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archived_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT archived_conversations_id_user_id_app_id_key UNIQUE (id, user_id, app_id),
    CONSTRAINT archived_conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT archived_conversations_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (id)
);
ALTER TABLE archived_conversations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_conversations FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_conversations_user_app_idx ON archived_conversations (user_id, app_id);
CREATE INDEX archived_conversations_app_idx ON archived_conversations (app_id);
CREATE INDEX archived_conversations_closed_idx ON archived_conversations (closed_at);

COMMENT ON TABLE archived_conversations IS
'Conversations closed for more than 90 days, kept until the user''s retention has passed since they were closed.';
COMMENT ON COLUMN archived_conversations.archived_at IS 'When it was moved here.';
