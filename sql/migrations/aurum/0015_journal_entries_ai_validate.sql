-- depends: 0014_journal_entries_ai_checks
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE journal_entries
VALIDATE CONSTRAINT journal_entries_sentiment_score_check,
VALIDATE CONSTRAINT journal_entries_embeddings_check;
