-- Not looked at again, as before.
ALTER TABLE tasks
DROP CONSTRAINT tasks_completion_check;
ALTER TABLE tasks ADD CONSTRAINT tasks_completion_check CHECK (
    completed IS NOT NULL
    AND completed = (completed_at IS NOT NULL)
    AND completed = coalesce(status = 'completed', FALSE)
) NOT VALID;
