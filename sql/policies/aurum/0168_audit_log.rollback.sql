REVOKE SELECT ON audit_log FROM authenticated;
REVOKE SELECT ON audit_log FROM service_role;
DROP POLICY audit_log_service_read ON audit_log;
DROP POLICY audit_log_user_read ON audit_log;
