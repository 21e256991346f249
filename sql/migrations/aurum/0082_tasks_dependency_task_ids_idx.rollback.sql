-- transactional: false
DROP INDEX CONCURRENTLY tasks_dependency_task_ids_idx;
