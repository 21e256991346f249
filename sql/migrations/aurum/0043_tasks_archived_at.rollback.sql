DROP TRIGGER tasks_archived_at ON tasks;
ALTER TABLE tasks DROP COLUMN archived_at;
