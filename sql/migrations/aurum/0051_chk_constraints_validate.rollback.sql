-- Not looked at again, as before.
ALTER TABLE tasks
DROP CONSTRAINT chk_task_status,
DROP CONSTRAINT chk_task_priority;
ALTER TABLE tasks
ADD CONSTRAINT chk_task_status CHECK (
    status IN ('todo', 'in_progress', 'review', 'completed', 'cancelled')
) NOT VALID,
ADD CONSTRAINT chk_task_priority CHECK (priority IN ('low', 'medium', 'high', 'urgent')) NOT VALID;
ALTER TABLE projects
DROP CONSTRAINT chk_project_priority,
DROP CONSTRAINT chk_project_importance,
DROP CONSTRAINT chk_completion_percentage;
ALTER TABLE projects
ADD CONSTRAINT chk_project_priority CHECK (priority IN ('low', 'medium', 'high')) NOT VALID,
ADD CONSTRAINT chk_project_importance CHECK (importance BETWEEN 1 AND 5) NOT VALID,
ADD CONSTRAINT chk_completion_percentage CHECK (completion_percentage BETWEEN 0 AND 100) NOT VALID;
ALTER TABLE areas
DROP CONSTRAINT chk_area_importance;
ALTER TABLE areas
ADD CONSTRAINT chk_area_importance CHECK (importance BETWEEN 1 AND 5) NOT VALID;
