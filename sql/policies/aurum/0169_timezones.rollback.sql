REVOKE SELECT ON timezones FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON timezones FROM service_role;
DROP POLICY timezones_service_all ON timezones;
DROP POLICY timezones_read ON timezones;
