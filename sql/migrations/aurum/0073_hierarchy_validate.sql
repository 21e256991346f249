-- depends: 0072_tasks_pillar_id_fkey
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE projects VALIDATE CONSTRAINT projects_pillar_id_fkey;
ALTER TABLE tasks
VALIDATE CONSTRAINT tasks_area_id_fkey,
VALIDATE CONSTRAINT tasks_pillar_id_fkey;
