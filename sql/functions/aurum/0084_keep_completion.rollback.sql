DROP TRIGGER tasks_completion ON tasks;
DROP TRIGGER tasks_completion_insert ON tasks;
DROP FUNCTION keep_completion();
