-- transactional: false
DROP INDEX CONCURRENTLY idx_projects_hierarchy;
