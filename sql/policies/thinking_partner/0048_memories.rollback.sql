REVOKE SELECT, INSERT, UPDATE, DELETE ON memories FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON memories FROM service_role;
DROP POLICY memories_service_all ON memories;
DROP POLICY memories_user_access ON memories;
