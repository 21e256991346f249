-- depends: 0044_journal_entries_archived_at
-- The document's new values beside the old CHECK would refuse every project. Old values are translated, also from
-- clients that still write them; the CHECK changes in the same moment.
CREATE FUNCTION translate_project_status()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    new.status := CASE new.status
        WHEN 'Not Started' THEN 'not_started'
        WHEN 'In Progress' THEN 'in_progress'
        WHEN 'Completed' THEN 'completed'
        WHEN 'On Hold' THEN 'on_hold'
        ELSE new.status
    END;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION translate_project_status() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION translate_project_status() IS 'Trigger: statuses as applications wrote them before are understood.';

CREATE TRIGGER projects_legacy_status
BEFORE INSERT OR UPDATE ON projects
FOR EACH ROW
EXECUTE FUNCTION translate_project_status();

ALTER TABLE projects
-- squawk-ignore ban-drop-constraint
DROP CONSTRAINT projects_status_check,
ADD CONSTRAINT chk_project_status CHECK (
    status IN ('not_started', 'in_progress', 'completed', 'on_hold', 'cancelled')
) NOT VALID,
ALTER COLUMN status SET DEFAULT 'not_started';
