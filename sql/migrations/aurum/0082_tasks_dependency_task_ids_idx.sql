-- depends: 0081_journal_entries_deleted
-- transactional: false
-- Who waits for a task that is deleted. Most wait for nothing, and are not in it.
CREATE INDEX CONCURRENTLY tasks_dependency_task_ids_idx ON tasks USING gin (dependency_task_ids)
WHERE dependency_task_ids <> '{}';
