-- transactional: false
DROP INDEX CONCURRENTLY idx_tasks_hierarchy;
