-- depends: 0040_pillars_archived_at
-- As for pillars.
ALTER TABLE areas ADD COLUMN archived_at timestamptz;

CREATE TRIGGER areas_archived_at
BEFORE INSERT OR UPDATE ON areas
FOR EACH ROW
EXECUTE FUNCTION keep_archived_at();

COMMENT ON COLUMN areas.archived_at IS 'When it was archived; kept by the database.';
