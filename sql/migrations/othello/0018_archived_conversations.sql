-- depends: 0017_session_logs
-- Where archive_inactive_conversations() puts what nobody has touched for a year; rows come as they were.
CREATE TABLE archived_conversations (
    id bigint,
    user_id bigint NOT NULL,
    title varchar(500),
    is_archived boolean NOT NULL,
    metadata jsonb,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archived_conversations_pkey PRIMARY KEY (id),
    CONSTRAINT archived_conversations_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT archived_conversations_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
ALTER TABLE archived_conversations ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_conversations FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE archived_conversations IS 'Conversations without activity for long; read-only.';
COMMENT ON COLUMN archived_conversations.archived_at IS 'When it was moved here.';
