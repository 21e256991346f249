-- depends: 0043_tasks_archived_at
-- As for pillars.
ALTER TABLE journal_entries
ADD COLUMN archived boolean DEFAULT FALSE,
ADD COLUMN archived_at timestamptz;

CREATE TRIGGER journal_entries_archived_at
BEFORE INSERT OR UPDATE ON journal_entries
FOR EACH ROW
EXECUTE FUNCTION keep_archived_at();

-- Its name comes after that of the other, which must not see an archived_at without archived.
CREATE TRIGGER journal_entries_before_deleted
BEFORE INSERT OR UPDATE ON journal_entries
FOR EACH ROW
EXECUTE FUNCTION keep_deleted();

COMMENT ON COLUMN journal_entries.archived_at IS 'When it was archived; kept by the database.';
