-- transactional: false
DROP INDEX CONCURRENTLY tasks_parent_task_id_key;
