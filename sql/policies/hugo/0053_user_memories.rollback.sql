REVOKE SELECT, INSERT, UPDATE, DELETE ON user_memories FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_memories FROM service_role;
DROP POLICY user_memories_service_all ON user_memories;
DROP POLICY um_user_access ON user_memories;
