-- depends: 0111_idx_journal_content_embedding
-- transactional: false
-- As for journal_entries.
CREATE INDEX CONCURRENTLY idx_task_description_embedding ON tasks USING hnsw (description_embedding vector_cosine_ops)
WITH (m = 24, ef_construction = 128)
WHERE description IS NOT NULL AND description <> '';
