-- depends: 0086_tasks_completion_check
-- Old rows are looked at while everybody reads and writes.
ALTER TABLE tasks VALIDATE CONSTRAINT tasks_completion_check;
