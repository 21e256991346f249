REVOKE SELECT, INSERT, UPDATE, DELETE ON chat_sessions FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON chat_sessions FROM service_role;
DROP POLICY chat_sessions_service_all ON chat_sessions;
DROP POLICY chat_sessions_user_access ON chat_sessions;
