-- depends: 0064_tasks_hierarchy
-- From here on a move of a project is felt by its tasks.
CREATE TRIGGER projects_move
AFTER UPDATE ON projects
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION move_tasks();
