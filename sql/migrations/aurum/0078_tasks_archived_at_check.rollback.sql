ALTER TABLE tasks DROP CONSTRAINT tasks_archived_at_check;
