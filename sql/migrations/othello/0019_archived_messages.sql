-- depends: 0018_archived_conversations
-- The messages of archived conversations, under the same owner.
CREATE TABLE archived_messages (
    id bigint,
    conversation_id bigint NOT NULL,
    user_id bigint NOT NULL,
    role message_role NOT NULL,
    content text NOT NULL,
    agent_name varchar(100),
    reasoning_trace jsonb,
    ethical_validation jsonb,
    token_count integer,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT archived_messages_pkey PRIMARY KEY (id),
    CONSTRAINT archived_messages_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT archived_messages_conversation_id_fkey FOREIGN KEY (conversation_id, user_id)
    REFERENCES archived_conversations (id, user_id) ON DELETE CASCADE
);
ALTER TABLE archived_messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_messages_conversation_idx ON archived_messages (conversation_id, created_at);

COMMENT ON TABLE archived_messages IS 'Messages of archived conversations; they go with their conversation.';
