DROP FUNCTION get_conversation_messages(uuid, integer, timestamptz);
