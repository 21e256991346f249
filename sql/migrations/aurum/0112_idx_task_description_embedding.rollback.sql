-- transactional: false
DROP INDEX CONCURRENTLY idx_task_description_embedding;
