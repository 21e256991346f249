-- transactional: false
DROP INDEX CONCURRENTLY journal_entries_embedding_stale_idx;
