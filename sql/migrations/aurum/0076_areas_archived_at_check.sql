-- depends: 0075_pillars_archived_at_check
-- As for pillars.
ALTER TABLE areas ADD CONSTRAINT areas_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
