REVOKE SELECT, INSERT, UPDATE, DELETE ON workspaces FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON workspaces FROM service_role;
DROP POLICY workspaces_service_all ON workspaces;
DROP POLICY workspaces_user_access ON workspaces;
