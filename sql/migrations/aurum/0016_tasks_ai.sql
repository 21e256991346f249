-- depends: 0015_journal_entries_ai_validate
-- As for journal_entries.
ALTER TABLE tasks
ADD COLUMN description_embedding vector(1536),
ADD COLUMN name_embedding vector(1536),
ADD COLUMN embedding_model text DEFAULT 'text-embedding-3-small',
ADD COLUMN embedding_updated_at timestamptz,
ADD COLUMN hrm_priority_score numeric(3, 2) DEFAULT 0.5,
ADD COLUMN hrm_alignment_score numeric(3, 2) DEFAULT 0.5,
ADD COLUMN hrm_reasoning_summary text,
ADD COLUMN hrm_last_analyzed timestamptz,
ADD COLUMN ai_suggested_timeblock text,
ADD COLUMN obstacle_risk text,
ADD COLUMN embedding_hash text,
ADD COLUMN embedding_claimed_until timestamptz;

COMMENT ON COLUMN tasks.hrm_priority_score IS '0 to 1.';
COMMENT ON COLUMN tasks.hrm_alignment_score IS '0 to 1.';
COMMENT ON COLUMN tasks.obstacle_risk IS 'low, medium or high.';
COMMENT ON COLUMN tasks.embedding_hash IS
'Of the text that the embeddings were made from; null while new ones are to be made.';
COMMENT ON COLUMN tasks.embedding_claimed_until IS 'Until when a worker makes new ones.';
