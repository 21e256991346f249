REVOKE SELECT, INSERT ON messages FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON messages FROM service_role;
DROP POLICY messages_service_all ON messages;
DROP POLICY messages_user_access ON messages;
