-- Not looked at again, as before.
ALTER TABLE pillars
DROP CONSTRAINT pillars_archived_at_check;
ALTER TABLE pillars ADD CONSTRAINT pillars_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
ALTER TABLE areas
DROP CONSTRAINT areas_archived_at_check;
ALTER TABLE areas ADD CONSTRAINT areas_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
ALTER TABLE projects
DROP CONSTRAINT projects_archived_at_check;
ALTER TABLE projects ADD CONSTRAINT projects_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
ALTER TABLE tasks
DROP CONSTRAINT tasks_archived_at_check;
ALTER TABLE tasks ADD CONSTRAINT tasks_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
ALTER TABLE journal_entries
DROP CONSTRAINT journal_entries_archived_at_check;
ALTER TABLE journal_entries ADD CONSTRAINT journal_entries_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
