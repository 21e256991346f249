-- depends: 0078_tasks_archived_at_check
-- As for pillars.
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
