DROP FUNCTION get_or_create_chat_session(uuid, uuid, text, text);
