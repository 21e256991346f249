DROP FUNCTION get_chat_context(text, uuid);
