ALTER TABLE tasks DROP CONSTRAINT tasks_completion_check;
