-- depends: 0039_keep_archived_at
-- Soft delete is one pattern: archived and archived_at, set together. One table in each file: a file that held one and
-- waited for the next would stand in the way of those who hold that one.
ALTER TABLE pillars ADD COLUMN archived_at timestamptz;

CREATE TRIGGER pillars_archived_at
BEFORE INSERT OR UPDATE ON pillars
FOR EACH ROW
EXECUTE FUNCTION keep_archived_at();

COMMENT ON COLUMN pillars.archived_at IS 'When it was archived; kept by the database.';
