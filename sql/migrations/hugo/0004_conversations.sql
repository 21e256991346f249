-- depends: 0003_apps
-- Chat sessions: created (no message yet), active (from the first message), closed.
CREATE TABLE conversations (
    id uuid DEFAULT gen_random_uuid(),
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    title text,
    message_count integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_message_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    activated_at timestamptz,
    status text GENERATED ALWAYS AS (
        CASE
            WHEN closed_at IS NOT NULL THEN 'closed'
            WHEN activated_at IS NOT NULL THEN 'active'
            ELSE 'created'
        END
    ) STORED,
    CONSTRAINT conversations_pkey PRIMARY KEY (id),
    CONSTRAINT conversations_session_id_idx UNIQUE (session_id),
    -- What messages and memories refer to, so that they can belong to nobody but the conversation's owner.
    CONSTRAINT conversations_id_user_id_key UNIQUE (id, user_id),
    CONSTRAINT conversations_id_user_id_app_id_key UNIQUE (id, user_id, app_id),
    CONSTRAINT conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT conversations_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (id),
    CONSTRAINT conversations_session_id_check CHECK (platform.is_uuid_v4(session_id)),
    CONSTRAINT conversations_message_count_check CHECK (message_count >= 0),
    CONSTRAINT conversations_closed_at_check CHECK (closed_at > created_at),
    CONSTRAINT conversations_closed_active_check CHECK (closed_at IS NULL OR activated_at IS NOT NULL)
);
ALTER TABLE conversations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON conversations FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX conversations_user_app_idx ON conversations (user_id, app_id);
CREATE INDEX conversations_recent_idx ON conversations (last_message_at DESC);
CREATE INDEX conversations_app_idx ON conversations (app_id);
-- For the daily jobs, whose work must not grow with the table.
CREATE INDEX conversations_open_idx ON conversations (last_message_at) WHERE closed_at IS NULL;
CREATE INDEX conversations_closed_idx ON conversations (closed_at) WHERE closed_at IS NOT NULL;

COMMENT ON TABLE conversations IS 'Chat sessions of a user with an app.';
COMMENT ON COLUMN conversations.session_id IS 'Version-4 UUID made by the client, so that creating twice is harmless.';
COMMENT ON COLUMN conversations.title IS 'Taken from the first user message where the client gives none.';
COMMENT ON COLUMN conversations.message_count IS 'Maintained by the database.';
COMMENT ON COLUMN conversations.last_message_at IS 'Maintained by the database.';
COMMENT ON COLUMN conversations.closed_at IS
'Set once, by close_conversation() or a job; a closed conversation stays closed.';
COMMENT ON COLUMN conversations.activated_at IS 'Maintained by the database: when the first message came.';
COMMENT ON COLUMN conversations.status IS 'created, active or closed; follows from activated_at and closed_at.';
