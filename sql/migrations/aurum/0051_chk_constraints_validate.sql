-- depends: 0050_tasks_chk_constraints
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE tasks
VALIDATE CONSTRAINT chk_task_status,
VALIDATE CONSTRAINT chk_task_priority;
ALTER TABLE projects
VALIDATE CONSTRAINT chk_project_priority,
VALIDATE CONSTRAINT chk_project_importance,
VALIDATE CONSTRAINT chk_completion_percentage;
ALTER TABLE areas VALIDATE CONSTRAINT chk_area_importance;
