REVOKE SELECT, INSERT, UPDATE, DELETE ON projects FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON projects FROM service_role;
DROP POLICY projects_service_all ON projects;
DROP POLICY projects_user_access ON projects;
