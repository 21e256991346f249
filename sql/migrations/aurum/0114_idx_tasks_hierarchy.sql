-- depends: 0113_idx_project_embedding
-- transactional: false
-- Somebody's tasks in a part of the hierarchy; also for row-level security.
CREATE INDEX CONCURRENTLY idx_tasks_hierarchy ON tasks (user_id, pillar_id, area_id, project_id);
