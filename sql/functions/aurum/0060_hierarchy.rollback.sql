DROP FUNCTION move_tasks();
DROP FUNCTION move_projects();
DROP FUNCTION place_task();
DROP FUNCTION place_project();
DROP FUNCTION place_area();
