-- depends: 0119_journal_entries_user_id_idx
-- transactional: false
-- What waits for an embedding, oldest first.
CREATE INDEX CONCURRENTLY journal_entries_embedding_stale_idx ON journal_entries (created_at)
WHERE embedding_hash IS NULL;
