-- depends: 0112_idx_task_description_embedding
-- transactional: false
-- As for journal_entries.
CREATE INDEX CONCURRENTLY idx_project_embedding ON projects USING hnsw (combined_embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128);
