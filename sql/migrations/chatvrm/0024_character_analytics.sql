-- depends: 0023_document_chunks
-- One row for each character and day (UTC), computed by roll_up_character_analytics().
CREATE TABLE character_analytics (
    id uuid DEFAULT gen_random_uuid(),
    character_id uuid NOT NULL,
    date date NOT NULL,
    conversation_count integer NOT NULL DEFAULT 0,
    message_count integer NOT NULL DEFAULT 0,
    unique_users integer NOT NULL DEFAULT 0,
    avg_conversation_duration double precision,
    avg_user_rating double precision,
    popular_topics jsonb NOT NULL DEFAULT '[]',
    emotion_distribution jsonb NOT NULL DEFAULT '{}',
    user_id uuid NOT NULL,
    CONSTRAINT character_analytics_pkey PRIMARY KEY (id),
    CONSTRAINT idx_analytics_character_date UNIQUE (character_id, date),
    CONSTRAINT character_analytics_character_id_fkey FOREIGN KEY (character_id, user_id)
    REFERENCES characters (id, user_id) ON DELETE CASCADE,
    CONSTRAINT character_analytics_counts_check CHECK (
        conversation_count >= 0 AND message_count >= 0 AND unique_users >= 0
    ),
    CONSTRAINT character_analytics_avg_conversation_duration_check CHECK (
        avg_conversation_duration >= 0 AND avg_conversation_duration < 'Infinity'
    ),
    CONSTRAINT character_analytics_avg_user_rating_check CHECK (avg_user_rating BETWEEN 1 AND 5)
);
ALTER TABLE character_analytics ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON character_analytics FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX character_analytics_user_idx ON character_analytics (user_id, date DESC);
CREATE INDEX character_analytics_date_idx ON character_analytics (date);

COMMENT ON TABLE character_analytics IS 'What happened to a character on a day (UTC).';
COMMENT ON COLUMN character_analytics.conversation_count IS 'Conversations that started on that day.';
COMMENT ON COLUMN character_analytics.message_count IS 'Messages of that day, in whichever conversation.';
COMMENT ON COLUMN character_analytics.unique_users IS 'Users, without visitors, of the conversations that started.';
COMMENT ON COLUMN character_analytics.avg_conversation_duration IS 'Seconds, of those that are over.';
COMMENT ON COLUMN character_analytics.popular_topics IS
'The ten most frequent of messages.metadata.topics: [{"topic": "…", "count": 3}], most frequent first.';
COMMENT ON COLUMN character_analytics.emotion_distribution IS 'How many messages showed which emotion: {"happy": 12}.';
COMMENT ON COLUMN character_analytics.user_id IS 'The owner of the character.';
