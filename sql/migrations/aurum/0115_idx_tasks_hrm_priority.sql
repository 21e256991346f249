-- depends: 0114_idx_tasks_hierarchy
-- transactional: false
-- What to do next.
CREATE INDEX CONCURRENTLY idx_tasks_hrm_priority ON tasks (user_id, completed, hrm_priority_score DESC)
WHERE completed = FALSE;
