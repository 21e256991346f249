-- depends: 0013_archived_conversations
-- The messages of archived conversations, under the same owner.
CREATE TABLE archived_messages (
    id uuid,
    conversation_id uuid NOT NULL,
    role text NOT NULL,
    content text NOT NULL,
    model text,
    confidence_score numeric(3, 2),
    intimacy_code_reference text,
    generation_time_ms integer,
    tokens_used integer,
    created_at timestamptz NOT NULL,
    user_id uuid NOT NULL,
    app_id uuid NOT NULL,
    CONSTRAINT archived_messages_pkey PRIMARY KEY (id),
    CONSTRAINT archived_messages_conversation_id_fkey FOREIGN KEY (conversation_id, user_id, app_id)
    REFERENCES archived_conversations (id, user_id, app_id) ON DELETE CASCADE
);
ALTER TABLE archived_messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_messages_conversation_idx ON archived_messages (conversation_id, created_at);
CREATE INDEX archived_messages_user_recent_idx ON archived_messages (user_id, created_at DESC);

COMMENT ON TABLE archived_messages IS 'Messages of archived conversations; they go with their conversation.';
