-- depends: 0042_projects_archived_at
-- As for pillars.
ALTER TABLE tasks ADD COLUMN archived_at timestamptz;

CREATE TRIGGER tasks_archived_at
BEFORE INSERT OR UPDATE ON tasks
FOR EACH ROW
EXECUTE FUNCTION keep_archived_at();

COMMENT ON COLUMN tasks.archived_at IS 'When it was archived; kept by the database.';
