DROP TRIGGER projects_place ON projects;
DROP TRIGGER projects_place_insert ON projects;
