REVOKE SELECT, INSERT, UPDATE, DELETE ON insights FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON insights FROM service_role;
DROP POLICY insights_service_all ON insights;
DROP POLICY insights_user_access ON insights;
