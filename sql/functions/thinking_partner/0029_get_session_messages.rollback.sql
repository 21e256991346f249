DROP FUNCTION get_session_messages(uuid);
