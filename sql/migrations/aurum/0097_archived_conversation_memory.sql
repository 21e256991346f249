-- depends: 0096_count_for_user_stats
-- What was said longer ago: to be read, no longer searched, so without embeddings.
CREATE TABLE archived_conversation_memory (
    id uuid,
    user_id uuid NOT NULL,
    conversation_date date NOT NULL,
    session_id uuid NOT NULL,
    message_role text NOT NULL,
    message_content text NOT NULL,
    context_entities jsonb NOT NULL,
    tokens_used integer NOT NULL,
    model_used text,
    response_time_ms integer,
    was_helpful boolean,
    created_at timestamptz NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archived_conversation_memory_pkey PRIMARY KEY (id),
    CONSTRAINT archived_conversation_memory_user_id_fkey FOREIGN KEY (user_id)
    REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT archived_conversation_memory_message_role_check CHECK (message_role IN ('user', 'assistant', 'system'))
);
ALTER TABLE archived_conversation_memory ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_conversation_memory FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_conversation_memory_session_idx
ON archived_conversation_memory (user_id, session_id, created_at);

COMMENT ON TABLE archived_conversation_memory IS 'Messages that archive_old_conversations() has put away.';
