DROP TRIGGER projects_move ON projects;
