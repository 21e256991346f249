-- depends: 0018_tasks_ai_validate
-- As for journal_entries.
ALTER TABLE projects
ADD COLUMN combined_embedding vector(1536),
ADD COLUMN embedding_model text DEFAULT 'text-embedding-3-small',
ADD COLUMN embedding_updated_at timestamptz,
ADD COLUMN hrm_coherence_score numeric(3, 2) DEFAULT 0.5,
ADD COLUMN hrm_risk_assessment text,
ADD COLUMN hrm_suggested_adjustments jsonb,
ADD COLUMN hrm_health_score numeric(3, 2) DEFAULT 0.5,
ADD COLUMN estimated_hours integer,
ADD COLUMN actual_hours_spent numeric(6, 2) DEFAULT 0,
ADD COLUMN last_activity_date timestamptz,
ADD COLUMN embedding_hash text,
ADD COLUMN embedding_claimed_until timestamptz;

COMMENT ON COLUMN projects.hrm_coherence_score IS '0 to 1.';
COMMENT ON COLUMN projects.hrm_health_score IS '0 to 1.';
COMMENT ON COLUMN projects.embedding_hash IS
'Of the text that the embedding was made from; null while a new one is to be made.';
COMMENT ON COLUMN projects.embedding_claimed_until IS 'Until when a worker makes a new one.';
