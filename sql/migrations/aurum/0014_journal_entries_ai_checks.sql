-- depends: 0013_journal_entries_ai
-- Checked for new rows from here on; old ones are not looked at while the table is locked.
ALTER TABLE journal_entries
ADD CONSTRAINT journal_entries_sentiment_score_check CHECK (sentiment_score BETWEEN -1 AND 1) NOT VALID,
ADD CONSTRAINT journal_entries_embeddings_check CHECK (
    coalesce(vector_norm(content_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
    AND coalesce(vector_norm(title_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
) NOT VALID;
