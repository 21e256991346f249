ALTER TABLE areas DROP CONSTRAINT areas_archived_at_check;
