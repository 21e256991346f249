DROP FUNCTION get_user_context(uuid, text);
