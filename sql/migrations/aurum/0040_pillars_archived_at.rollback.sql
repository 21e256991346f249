DROP TRIGGER pillars_archived_at ON pillars;
ALTER TABLE pillars DROP COLUMN archived_at;
