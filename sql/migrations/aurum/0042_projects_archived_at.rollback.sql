DROP TRIGGER projects_archived_at ON projects;
ALTER TABLE projects DROP COLUMN archived_at;
