-- depends: 0074_soft_delete_backfill
-- As the triggers keep it.
ALTER TABLE pillars ADD CONSTRAINT pillars_archived_at_check CHECK (
    archived IS NOT NULL AND archived = (archived_at IS NOT NULL)
) NOT VALID;
