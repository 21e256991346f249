DROP FUNCTION append_session_message(uuid, text, text, jsonb);
