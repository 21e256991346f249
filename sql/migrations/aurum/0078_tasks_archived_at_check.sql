-- depends: 0077_projects_archived_at_check
-- As for pillars.
ALTER TABLE tasks ADD CONSTRAINT tasks_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
