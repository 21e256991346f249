-- depends: 0056_tasks_parent_task_id_key
-- transactional: false
-- For the foreign key, and for the tasks that move with their project.
CREATE INDEX CONCURRENTLY tasks_project_id_idx ON tasks (project_id);
