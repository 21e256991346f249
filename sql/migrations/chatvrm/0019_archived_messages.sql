-- depends: 0018_archived_conversations
-- The messages of archived conversations, under the same user.
CREATE TABLE archived_messages (
    id uuid,
    conversation_id uuid NOT NULL,
    role varchar(50) NOT NULL,
    content text NOT NULL,
    emotion varchar(50),
    audio_file_id uuid,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    token_count integer,
    user_id uuid,
    CONSTRAINT archived_messages_pkey PRIMARY KEY (id, created_at),
    CONSTRAINT archived_messages_conversation_id_fkey FOREIGN KEY (conversation_id)
    REFERENCES archived_conversations (id) ON DELETE CASCADE,
    CONSTRAINT archived_messages_audio_file_id_fkey FOREIGN KEY (audio_file_id)
    REFERENCES audio_files (id) ON DELETE SET NULL
);
ALTER TABLE archived_messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON archived_messages FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX archived_messages_conversation_idx ON archived_messages (conversation_id, created_at);
CREATE INDEX archived_messages_user_idx ON archived_messages (user_id, created_at DESC);
CREATE INDEX archived_messages_created_idx ON archived_messages USING brin (created_at);
CREATE INDEX archived_messages_audio_file_idx ON archived_messages (audio_file_id);

COMMENT ON TABLE archived_messages IS 'Messages of archived conversations; they go with their conversation.';
