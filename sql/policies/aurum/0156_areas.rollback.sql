REVOKE SELECT, INSERT, UPDATE, DELETE ON areas FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON areas FROM service_role;
DROP POLICY areas_service_all ON areas;
DROP POLICY areas_user_access ON areas;
