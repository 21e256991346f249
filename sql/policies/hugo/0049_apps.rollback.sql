REVOKE SELECT ON apps FROM anon, authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON apps FROM service_role;
DROP POLICY apps_service_all ON apps;
DROP POLICY apps_public_read ON apps;
