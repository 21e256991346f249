-- depends: 0049_projects_chk_constraints
-- As for areas.
ALTER TABLE tasks
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT tasks_status_check,
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT tasks_priority_check,
ADD CONSTRAINT chk_task_status CHECK (
    status IN ('todo', 'in_progress', 'review', 'completed', 'cancelled')
) NOT VALID,
ADD CONSTRAINT chk_task_priority CHECK (priority IN ('low', 'medium', 'high', 'urgent')) NOT VALID;
