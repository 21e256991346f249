REVOKE SELECT ON consent_logs FROM authenticated;
REVOKE SELECT, INSERT ON consent_logs FROM service_role;
DROP POLICY consent_logs_service_all ON consent_logs;
DROP POLICY consent_logs_user_read ON consent_logs;
