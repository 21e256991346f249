REVOKE SELECT ON session_logs_public FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON session_logs FROM service_role;
DROP POLICY session_logs_service_all ON session_logs;
