REVOKE SELECT ON audit_logs FROM authenticated;
REVOKE SELECT ON audit_logs FROM service_role;
DROP POLICY audit_logs_service_read ON audit_logs;
DROP POLICY audit_logs_user_read ON audit_logs;
