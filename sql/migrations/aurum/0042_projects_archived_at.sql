-- depends: 0041_areas_archived_at
-- As for pillars.
ALTER TABLE projects ADD COLUMN archived_at timestamptz;

CREATE TRIGGER projects_archived_at
BEFORE INSERT OR UPDATE ON projects
FOR EACH ROW
EXECUTE FUNCTION keep_archived_at();

COMMENT ON COLUMN projects.archived_at IS 'When it was archived; kept by the database.';
