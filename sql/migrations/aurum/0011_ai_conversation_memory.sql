-- depends: 0010_insights
-- What was said to the assistant, for retrieval by meaning.
CREATE TABLE ai_conversation_memory (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    conversation_date date NOT NULL DEFAULT current_date,
    session_id uuid NOT NULL DEFAULT gen_random_uuid(),
    message_role text NOT NULL,
    message_content text NOT NULL,
    message_embedding vector(1536),
    context_entities jsonb NOT NULL DEFAULT '{}',
    tokens_used integer NOT NULL DEFAULT 0,
    model_used text,
    response_time_ms integer,
    was_helpful boolean,
    embedding_model text DEFAULT 'text-embedding-3-small',
    embedding_updated_at timestamptz,
    embedding_hash text,
    embedding_claimed_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ai_conversation_memory_pkey PRIMARY KEY (id),
    CONSTRAINT ai_conversation_memory_user_id_fkey FOREIGN KEY (user_id)
    REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT ai_conversation_memory_message_role_check CHECK (message_role IN ('user', 'assistant', 'system')),
    CONSTRAINT ai_conversation_memory_message_content_check CHECK (platform.is_not_blank(message_content)),
    CONSTRAINT ai_conversation_memory_message_embedding_check CHECK (
        vector_norm(message_embedding) BETWEEN 1e-15 AND 1e15
    ),
    CONSTRAINT ai_conversation_memory_context_entities_check CHECK (
        jsonb_typeof(context_entities) = 'object'
        AND NOT context_entities @? 'strict $.* ? (@.type() != "array")'
    ),
    CONSTRAINT ai_conversation_memory_tokens_used_check CHECK (tokens_used >= 0),
    CONSTRAINT ai_conversation_memory_response_time_ms_check CHECK (response_time_ms >= 0)
);
ALTER TABLE ai_conversation_memory ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON ai_conversation_memory FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_conversation_user_session ON ai_conversation_memory (user_id, session_id, created_at);
-- The document's parameters (16, 64) leave whole clusters of 20,000 vectors out of the graph's reach.
CREATE INDEX idx_conversation_embedding ON ai_conversation_memory USING hnsw (message_embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128);
-- What waits for an embedding, oldest first.
CREATE INDEX ai_conversation_memory_embedding_stale_idx ON ai_conversation_memory (created_at)
WHERE embedding_hash IS NULL;
-- For the monthly archive, batch by batch.
CREATE INDEX ai_conversation_memory_created_at_idx ON ai_conversation_memory (created_at);
-- For user_engagement.
CREATE INDEX ai_conversation_memory_date_idx ON ai_conversation_memory (conversation_date);

COMMENT ON TABLE ai_conversation_memory IS 'What was said between a user and the assistant.';
COMMENT ON COLUMN ai_conversation_memory.context_entities IS
'{"tasks": [], "projects": [], "areas": [], "pillars": []}.';
COMMENT ON COLUMN ai_conversation_memory.embedding_hash IS
'Of the text that the embedding was made from; null while one is to be made.';
COMMENT ON COLUMN ai_conversation_memory.embedding_claimed_until IS 'Until when a worker makes a new one.';
