-- transactional: false
DROP INDEX CONCURRENTLY tasks_project_id_idx;
