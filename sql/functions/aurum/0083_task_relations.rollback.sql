DROP TRIGGER tasks_dependencies_delete ON tasks;
DROP TRIGGER tasks_dependencies ON tasks;
DROP TRIGGER tasks_dependencies_insert ON tasks;
DROP TRIGGER tasks_parent ON tasks;
DROP TRIGGER tasks_parent_insert ON tasks;
DROP FUNCTION forget_dependencies();
DROP FUNCTION check_task_dependencies();
DROP FUNCTION check_parent_task();
