-- depends: 0055_projects_area_id_key
-- transactional: false
-- As for areas: another parent is a change of the key.
CREATE UNIQUE INDEX CONCURRENTLY tasks_parent_task_id_key ON tasks (parent_task_id, id);
