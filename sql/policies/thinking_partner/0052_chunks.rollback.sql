REVOKE SELECT, INSERT, UPDATE, DELETE ON chunks FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON chunks FROM service_role;
DROP POLICY chunks_service_all ON chunks;
DROP POLICY chunks_user_access ON chunks;
