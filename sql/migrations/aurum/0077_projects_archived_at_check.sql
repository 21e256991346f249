-- depends: 0076_areas_archived_at_check
-- As for pillars.
ALTER TABLE projects ADD CONSTRAINT projects_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
