-- depends: 0011_ai_conversation_memory
-- One look back a day.
CREATE TABLE daily_reflections (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    reflection_date date NOT NULL DEFAULT current_date,
    reflection_text text NOT NULL,
    completion_score integer,
    mood varchar(50),
    energy_level integer,
    biggest_accomplishment text,
    challenges_faced text,
    tomorrow_focus text,
    gratitude_notes text,
    lessons_learned text,
    tasks_completed_count integer NOT NULL DEFAULT 0,
    focus_time_minutes integer NOT NULL DEFAULT 0,
    productivity_score integer,
    alignment_score numeric(3, 2),
    reflection_embedding vector(1536),
    accomplishment_embedding vector(1536),
    challenges_embedding vector(1536),
    embedding_model text DEFAULT 'text-embedding-3-small',
    embedding_updated_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    embedding_hash text,
    embedding_claimed_until timestamptz,
    CONSTRAINT daily_reflections_pkey PRIMARY KEY (id),
    CONSTRAINT unique_user_date UNIQUE (user_id, reflection_date),
    CONSTRAINT daily_reflections_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT daily_reflections_reflection_text_check CHECK (platform.is_not_blank(reflection_text)),
    CONSTRAINT daily_reflections_completion_score_check CHECK (completion_score BETWEEN 1 AND 10),
    CONSTRAINT daily_reflections_mood_check CHECK (
        mood IN ('excited', 'happy', 'content', 'neutral', 'frustrated', 'sad', 'anxious', 'overwhelmed')
    ),
    CONSTRAINT daily_reflections_energy_level_check CHECK (energy_level BETWEEN 1 AND 10),
    CONSTRAINT daily_reflections_tasks_completed_count_check CHECK (tasks_completed_count >= 0),
    CONSTRAINT daily_reflections_focus_time_minutes_check CHECK (focus_time_minutes >= 0),
    CONSTRAINT daily_reflections_productivity_score_check CHECK (productivity_score BETWEEN 1 AND 10),
    CONSTRAINT daily_reflections_alignment_score_check CHECK (alignment_score BETWEEN 0 AND 1),
    CONSTRAINT daily_reflections_embeddings_check CHECK (
        coalesce(vector_norm(reflection_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
        AND coalesce(vector_norm(accomplishment_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
        AND coalesce(vector_norm(challenges_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
    )
);
ALTER TABLE daily_reflections ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON daily_reflections FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX idx_daily_reflections_user_date ON daily_reflections (user_id, reflection_date DESC);
CREATE INDEX idx_daily_reflections_mood ON daily_reflections (user_id, mood, reflection_date DESC);
-- What waits for an embedding, oldest first.
CREATE INDEX daily_reflections_embedding_stale_idx ON daily_reflections (created_at) WHERE embedding_hash IS NULL;
-- Denser than the document's (16, 64), as for ai_conversation_memory.
CREATE INDEX idx_reflection_embedding ON daily_reflections USING hnsw (reflection_embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128);

COMMENT ON TABLE daily_reflections IS 'What people write at the end of a day, one for each day.';
COMMENT ON COLUMN daily_reflections.alignment_score IS '0 to 1.';
COMMENT ON COLUMN daily_reflections.embedding_hash IS
'Of the text that the embeddings were made from; null while new ones are to be made.';
COMMENT ON COLUMN daily_reflections.embedding_claimed_until IS 'Until when a worker makes new ones.';
