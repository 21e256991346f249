ALTER TABLE projects DROP CONSTRAINT projects_archived_at_check;
