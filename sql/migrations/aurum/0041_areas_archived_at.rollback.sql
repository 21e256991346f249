DROP TRIGGER areas_archived_at ON areas;
ALTER TABLE areas DROP COLUMN archived_at;
