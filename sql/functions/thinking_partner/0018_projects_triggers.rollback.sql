DROP TRIGGER projects_updated_at ON projects;
DROP TRIGGER projects_maintain ON projects;
DROP TRIGGER projects_immutable ON projects;
DROP TRIGGER projects_owner ON projects;
