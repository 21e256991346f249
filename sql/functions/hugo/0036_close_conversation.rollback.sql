DROP FUNCTION close_conversation(uuid);
