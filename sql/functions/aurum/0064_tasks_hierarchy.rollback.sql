DROP TRIGGER tasks_place ON tasks;
DROP TRIGGER tasks_place_insert ON tasks;
