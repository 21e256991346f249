-- A cancelled task is not done, and nobody should find it in a list of what is to do.
DO $$
DECLARE
    v_rows bigint;
BEGIN
    UPDATE tasks AS t SET status = 'todo', archived = TRUE WHERE t.status = 'cancelled';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows > 0 THEN
        RAISE WARNING 'tasks: % cancelled, to do and archived from now on', v_rows;
    END IF;

    UPDATE tasks AS t SET priority = 'high' WHERE t.priority = 'urgent';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows > 0 THEN
        RAISE WARNING 'tasks: % urgent, of high priority from now on', v_rows;
    END IF;
END;
$$;
ALTER TABLE tasks
DROP CONSTRAINT chk_task_priority,
DROP CONSTRAINT chk_task_status,
ADD CONSTRAINT tasks_priority_check CHECK (priority IN ('low', 'medium', 'high')),
ADD CONSTRAINT tasks_status_check CHECK (status IN ('todo', 'in_progress', 'review', 'completed'));
