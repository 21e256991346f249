DROP TRIGGER journal_entries_before_deleted ON journal_entries;
DROP TRIGGER journal_entries_archived_at ON journal_entries;
ALTER TABLE journal_entries
DROP COLUMN archived_at,
DROP COLUMN archived;
