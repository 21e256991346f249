REVOKE SELECT, INSERT, UPDATE, DELETE ON session_messages FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON session_messages FROM service_role;
DROP POLICY session_messages_service_all ON session_messages;
DROP POLICY session_messages_user_access ON session_messages;
