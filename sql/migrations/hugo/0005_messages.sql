-- depends: 0004_conversations
-- Messages carry the owner and the app of their conversation, kept true by the composite foreign key: row-level
-- security and get_chat_context() then read an index instead of joining. The default of created_at is
-- clock_timestamp(), since messages written in one transaction would else share one time and have no order.
CREATE TABLE messages (
    id uuid DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    model text,
    confidence_score numeric(3, 2),
    intimacy_code_reference text,
    generation_time_ms integer,
    tokens_used integer,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_conversation_id_fkey FOREIGN KEY (conversation_id, user_id, app_id)
    REFERENCES conversations (id, user_id, app_id) ON DELETE CASCADE,
    CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant')),
    CONSTRAINT messages_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT messages_confidence_check CHECK (
        confidence_score IS NULL OR (confidence_score >= 0.0 AND confidence_score <= 1.0)
    ),
    CONSTRAINT messages_tokens_used_check CHECK (
        tokens_used >= 0 AND (role <> 'assistant' OR coalesce(tokens_used, 0) > 0)
    ),
    CONSTRAINT messages_generation_time_check CHECK (generation_time_ms >= 0)
);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX messages_conversation_idx ON messages (conversation_id, created_at);
CREATE INDEX messages_role_idx ON messages (role);
CREATE INDEX messages_user_recent_idx ON messages (user_id, created_at DESC);
-- Ends with id so that the newest ten are well defined, and found by reading ten entries.
CREATE INDEX messages_user_app_recent_idx ON messages (user_id, app_id, created_at DESC, id DESC);

COMMENT ON TABLE messages IS 'What a user or the coach said in a conversation.';
COMMENT ON COLUMN messages.role IS 'user or assistant.';
COMMENT ON COLUMN messages.model IS 'The model that wrote an assistant message.';
COMMENT ON COLUMN messages.confidence_score IS '0.00 to 1.00.';
COMMENT ON COLUMN messages.intimacy_code_reference IS
'The principle a reply rests on, for example "Principle 3: Authentic Vulnerability".';
COMMENT ON COLUMN messages.generation_time_ms IS 'How long the model took, in milliseconds.';
COMMENT ON COLUMN messages.tokens_used IS 'Above 0 for assistant messages.';
COMMENT ON COLUMN messages.user_id IS 'Maintained by the database: the owner of the conversation.';
COMMENT ON COLUMN messages.app_id IS 'Maintained by the database: the app of the conversation.';
