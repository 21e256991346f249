-- Not looked at again, as before.
ALTER TABLE journal_entries
DROP CONSTRAINT journal_entries_sentiment_score_check,
DROP CONSTRAINT journal_entries_embeddings_check;
ALTER TABLE journal_entries
ADD CONSTRAINT journal_entries_sentiment_score_check CHECK (sentiment_score BETWEEN -1 AND 1) NOT VALID,
ADD CONSTRAINT journal_entries_embeddings_check CHECK (
    coalesce(vector_norm(content_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
    AND coalesce(vector_norm(title_embedding) BETWEEN 1e-15 AND 1e15, TRUE)
) NOT VALID;
