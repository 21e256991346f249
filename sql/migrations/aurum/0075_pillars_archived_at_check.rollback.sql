ALTER TABLE pillars DROP CONSTRAINT pillars_archived_at_check;
