REVOKE SELECT, INSERT, UPDATE ON conversations FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON conversations FROM service_role;
DROP POLICY conversations_service_all ON conversations;
DROP POLICY conversations_user_access ON conversations;
