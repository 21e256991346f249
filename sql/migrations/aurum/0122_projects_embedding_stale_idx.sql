-- depends: 0121_tasks_embedding_stale_idx
-- transactional: false
-- What waits for an embedding, oldest first.
CREATE INDEX CONCURRENTLY projects_embedding_stale_idx ON projects (created_at) WHERE embedding_hash IS NULL;
