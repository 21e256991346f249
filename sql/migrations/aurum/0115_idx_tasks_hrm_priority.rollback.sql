-- transactional: false
DROP INDEX CONCURRENTLY idx_tasks_hrm_priority;
