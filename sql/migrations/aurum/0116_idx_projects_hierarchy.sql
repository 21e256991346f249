-- depends: 0115_idx_tasks_hrm_priority
-- transactional: false
-- As for tasks.
CREATE INDEX CONCURRENTLY idx_projects_hierarchy ON projects (user_id, pillar_id, area_id);
