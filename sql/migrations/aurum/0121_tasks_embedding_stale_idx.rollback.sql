-- transactional: false
DROP INDEX CONCURRENTLY tasks_embedding_stale_idx;
