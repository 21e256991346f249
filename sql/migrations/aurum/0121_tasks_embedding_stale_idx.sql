-- depends: 0120_journal_entries_embedding_stale_idx
-- transactional: false
-- What waits for an embedding, oldest first.
CREATE INDEX CONCURRENTLY tasks_embedding_stale_idx ON tasks (created_at) WHERE embedding_hash IS NULL;
