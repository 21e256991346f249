-- depends: 0079_journal_entries_archived_at_check
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE pillars VALIDATE CONSTRAINT pillars_archived_at_check;
ALTER TABLE areas VALIDATE CONSTRAINT areas_archived_at_check;
ALTER TABLE projects VALIDATE CONSTRAINT projects_archived_at_check;
ALTER TABLE tasks VALIDATE CONSTRAINT tasks_archived_at_check;
ALTER TABLE journal_entries VALIDATE CONSTRAINT journal_entries_archived_at_check;
