-- depends: 0085_tasks_completion_backfill
-- As the trigger keeps it.
ALTER TABLE tasks ADD CONSTRAINT tasks_completion_check CHECK (
    completed IS NOT NULL
    AND completed = (completed_at IS NOT NULL)
    AND completed = coalesce(status = 'completed', FALSE)
) NOT VALID;
