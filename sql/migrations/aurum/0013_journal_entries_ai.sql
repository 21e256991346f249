-- depends: 0012_daily_reflections
-- New columns have constant defaults or none: nothing is rewritten, and the lock is held for a moment. Their checks
-- come in the next files, NOT VALID first.
ALTER TABLE journal_entries
ADD COLUMN content_embedding vector(1536),
ADD COLUMN title_embedding vector(1536),
ADD COLUMN embedding_model text DEFAULT 'text-embedding-3-small',
ADD COLUMN embedding_updated_at timestamptz,
ADD COLUMN ai_insights_generated boolean DEFAULT FALSE,
ADD COLUMN sentiment_score numeric(3, 2),
ADD COLUMN embedding_hash text,
ADD COLUMN embedding_claimed_until timestamptz;

COMMENT ON COLUMN journal_entries.sentiment_score IS '-1 to 1.';
COMMENT ON COLUMN journal_entries.embedding_hash IS
'Of the text that the embeddings were made from; null while new ones are to be made.';
COMMENT ON COLUMN journal_entries.embedding_claimed_until IS 'Until when a worker makes new ones.';
