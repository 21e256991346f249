DROP FUNCTION close_inactive_conversations();
