-- depends: 0015_audio_files
-- Talks with a character. A visitor without an account is known by session_id; of a user who is gone only the talk
-- stays.
CREATE TABLE conversations (
    id uuid DEFAULT gen_random_uuid(),
    character_id uuid NOT NULL,
    user_id uuid,
    session_id varchar(255),
    status varchar(50) NOT NULL DEFAULT 'active',
    started_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    message_count integer NOT NULL DEFAULT 0,
    user_rating double precision,
    feedback text,
    CONSTRAINT conversations_pkey PRIMARY KEY (id),
    CONSTRAINT conversations_character_id_fkey FOREIGN KEY (character_id) REFERENCES characters (id) ON DELETE CASCADE,
    CONSTRAINT conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT conversations_status_check CHECK (status IN ('active', 'ended', 'archived')),
    CONSTRAINT conversations_ended_at_check CHECK (
        (status = 'active') = (ended_at IS NULL) AND coalesce(ended_at >= started_at, TRUE)
    ),
    CONSTRAINT conversations_message_count_check CHECK (message_count >= 0),
    CONSTRAINT check_rating CHECK (user_rating BETWEEN 1 AND 5)
);
ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON conversations FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_conversations_character_id ON conversations (character_id);
CREATE INDEX idx_conversations_user_id ON conversations (user_id);
CREATE INDEX idx_conversations_started_at ON conversations (started_at);
CREATE INDEX idx_conversations_character_id_status ON conversations (character_id, status);
CREATE INDEX idx_conversations_user_character_started ON conversations (user_id, character_id, started_at DESC);
-- For archive_old_conversations().
CREATE INDEX conversations_ended_idx ON conversations (ended_at) WHERE status <> 'active';

COMMENT ON TABLE conversations IS 'Talks of users and visitors with characters.';
COMMENT ON COLUMN conversations.user_id IS 'Null for a visitor, and for a user who is gone.';
COMMENT ON COLUMN conversations.session_id IS 'Of the visitor''s browser; needed where there is no user.';
COMMENT ON COLUMN conversations.status IS 'active → ended → archived, active → archived.';
COMMENT ON COLUMN conversations.started_at IS 'Maintained by the database: never after its first message.';
COMMENT ON COLUMN conversations.ended_at IS 'Set by the database when it leaves active.';
COMMENT ON COLUMN conversations.message_count IS 'Maintained by refresh_message_counts(), some minutes late.';
COMMENT ON COLUMN conversations.user_rating IS '1 to 5.';
