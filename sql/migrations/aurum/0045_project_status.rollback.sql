ALTER TABLE projects
ALTER COLUMN status SET DEFAULT 'Not Started',
DROP CONSTRAINT chk_project_status;
DROP TRIGGER projects_legacy_status ON projects;
DROP FUNCTION translate_project_status();
-- On hold is the nearest to cancelled: nobody works on it, and it is not done.
DO $$
DECLARE
    v_rows bigint;
BEGIN
    UPDATE projects AS p SET status = 'On Hold' WHERE p.status = 'cancelled';
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    IF v_rows > 0 THEN
        RAISE WARNING 'projects: % cancelled, on hold from now on', v_rows;
    END IF;
END;
$$;
UPDATE projects
SET
    status = CASE status
        WHEN 'not_started' THEN 'Not Started'
        WHEN 'in_progress' THEN 'In Progress'
        WHEN 'completed' THEN 'Completed'
        WHEN 'on_hold' THEN 'On Hold'
    END
WHERE status IN ('not_started', 'in_progress', 'completed', 'on_hold');
ALTER TABLE projects ADD CONSTRAINT projects_status_check CHECK (
    status IN ('Not Started', 'In Progress', 'Completed', 'On Hold')
);
