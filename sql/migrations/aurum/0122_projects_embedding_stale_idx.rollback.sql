-- transactional: false
DROP INDEX CONCURRENTLY projects_embedding_stale_idx;
