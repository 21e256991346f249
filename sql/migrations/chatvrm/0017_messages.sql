-- depends: 0016_conversations
-- Partitioned by month of UTC. Months are made ahead by create_message_partitions(); what fits into none of them goes
-- to the default partition, so that no insert fails. Partitions carry no grants and have row-level security of their
-- own: whoever names one directly sees nothing. The user is the conversation's; triggers keep it so, since a foreign
-- key that is null for visitors would hold nothing.
CREATE TABLE messages (
    id uuid DEFAULT gen_random_uuid(),
    conversation_id uuid NOT NULL,
    role varchar(50) NOT NULL,
    content text NOT NULL,
    emotion varchar(50),
    audio_file_id uuid,
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    token_count integer,
    user_id uuid,
    CONSTRAINT messages_pkey PRIMARY KEY (id, created_at),
    CONSTRAINT messages_conversation_id_fkey FOREIGN KEY (conversation_id)
    REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT messages_audio_file_id_fkey FOREIGN KEY (audio_file_id) REFERENCES audio_files (id) ON DELETE SET NULL,
    CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant', 'system')),
    CONSTRAINT messages_content_check CHECK (platform.is_not_blank(content)),
    CONSTRAINT messages_token_count_check CHECK (token_count >= 0)
) PARTITION BY RANGE (created_at);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON messages FROM PUBLIC, anon, authenticated, service_role;

-- Long messages are compressed faster by lz4, where the server has it.
DO $$
BEGIN
    ALTER TABLE messages ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported OR invalid_parameter_value THEN
        RAISE NOTICE 'this server was built without lz4: messages are compressed by pglz';
END;
$$;

CREATE INDEX idx_messages_conversation_id ON messages (conversation_id);
CREATE INDEX idx_messages_created_at ON messages (created_at);
CREATE INDEX idx_messages_conversation_id_created ON messages (conversation_id, created_at);
CREATE INDEX idx_messages_created_at_brin ON messages USING brin (created_at);
CREATE INDEX messages_user_idx ON messages (user_id, created_at DESC);
CREATE INDEX messages_audio_file_idx ON messages (audio_file_id);

COMMENT ON TABLE messages IS 'What is said in conversations, partitioned by month (UTC).';
COMMENT ON COLUMN messages.role IS 'user, assistant or system.';
COMMENT ON COLUMN messages.created_at IS 'The partition key; stated by service_role only.';
COMMENT ON COLUMN messages.user_id IS 'Maintained by the database: the user of the conversation.';

CREATE TABLE messages_default PARTITION OF messages DEFAULT;
ALTER TABLE messages_default ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON messages_default FROM PUBLIC, anon, authenticated, service_role;

-- This month and the three that follow.
DO $$
DECLARE
    v_from date := date_trunc('month', now() AT TIME ZONE 'UTC');
    v_name text;
BEGIN
    FOR i IN 0..3 LOOP
        v_name := to_char(v_from, '"messages_"YYYY_MM');
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF messages FOR VALUES FROM (%L) TO (%L)',
            v_name, v_from || ' 00:00+00', (v_from + interval '1 month')::date || ' 00:00+00'
        );
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', v_name);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, anon, authenticated, service_role', v_name);
        v_from := v_from + interval '1 month';
    END LOOP;
END;
$$;
