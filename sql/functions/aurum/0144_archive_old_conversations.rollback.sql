DROP FUNCTION archive_old_conversations(interval);
