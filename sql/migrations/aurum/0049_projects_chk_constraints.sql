-- depends: 0048_areas_chk_constraints
-- As for areas.
-- The range of completion_percentage is new: what is beyond it would be refused with every later change.
DO $$
DECLARE
    v_rows bigint;
BEGIN
    v_rows := (SELECT count(*) FROM projects AS p WHERE p.completion_percentage NOT BETWEEN 0 AND 100);
    IF v_rows > 0 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('projects: %s with a completion_percentage that is not from 0 to 100', v_rows),
            HINT = 'Correct them, then apply again: UPDATE projects SET completion_percentage = '
                'least(greatest(completion_percentage, 0), 100) WHERE completion_percentage NOT BETWEEN 0 AND 100;',
            CONSTRAINT = 'chk_completion_percentage',
            TABLE = 'projects',
            SCHEMA = current_schema();
    END IF;
END;
$$;

ALTER TABLE projects
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT projects_priority_check,
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT projects_importance_check,
ADD CONSTRAINT chk_project_priority CHECK (priority IN ('low', 'medium', 'high')) NOT VALID,
ADD CONSTRAINT chk_project_importance CHECK (importance BETWEEN 1 AND 5) NOT VALID,
ADD CONSTRAINT chk_completion_percentage CHECK (completion_percentage BETWEEN 0 AND 100) NOT VALID;
