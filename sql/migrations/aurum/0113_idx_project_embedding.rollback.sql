-- transactional: false
DROP INDEX CONCURRENTLY idx_project_embedding;
