DROP FUNCTION archive_inactive_conversations(interval);
