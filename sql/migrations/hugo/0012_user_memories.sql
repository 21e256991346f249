-- depends: 0011_user_progress
-- What is remembered of a user, fading with time and gone after the user's retention.
CREATE TABLE user_memories (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    conversation_id uuid,
    memory_type text NOT NULL,
    content text NOT NULL,
    importance numeric(3, 2) DEFAULT 0.50,
    relevance_decay_rate numeric(3, 2) DEFAULT 0.05,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_accessed_at timestamptz,
    expires_at timestamptz,
    CONSTRAINT user_memories_pkey PRIMARY KEY (id),
    CONSTRAINT user_memories_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_memories_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (id),
    CONSTRAINT user_memories_conversation_id_fkey FOREIGN KEY (conversation_id, user_id)
    REFERENCES conversations (id, user_id) ON DELETE SET NULL (conversation_id),
    CONSTRAINT um_type_check CHECK (
        memory_type IN ('conversation_context', 'user_preference', 'milestone', 'insight')
    ),
    CONSTRAINT um_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT um_importance_check CHECK (importance >= 0.0 AND importance <= 1.0),
    CONSTRAINT um_decay_check CHECK (relevance_decay_rate >= 0.0 AND relevance_decay_rate <= 1.0)
);
ALTER TABLE user_memories ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON user_memories FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX um_user_app_idx ON user_memories (user_id, app_id);
CREATE INDEX um_type_idx ON user_memories (memory_type);
CREATE INDEX um_importance_idx ON user_memories (importance DESC);
CREATE INDEX um_expires_idx ON user_memories (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX um_app_idx ON user_memories (app_id);
CREATE INDEX um_conversation_idx ON user_memories (conversation_id, user_id);

COMMENT ON TABLE user_memories IS 'Context and history that inform later coaching.';
COMMENT ON COLUMN user_memories.conversation_id IS
'Where it came from; null once that conversation is deleted or archived.';
COMMENT ON COLUMN user_memories.memory_type IS 'conversation_context, user_preference, milestone or insight.';
COMMENT ON COLUMN user_memories.importance IS '0.00 to 1.00; lowered by decay_memory_importance().';
COMMENT ON COLUMN user_memories.relevance_decay_rate IS 'What one decay takes off the importance, 0.00 to 1.00.';
COMMENT ON COLUMN user_memories.last_accessed_at IS 'When it last served; consumers set it.';
COMMENT ON COLUMN user_memories.expires_at IS 'By default created_at plus the user''s retention.';
