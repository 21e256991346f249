-- depends: 0077_message_changes
-- What one did oneself, to read; services read all.
CREATE POLICY audit_logs_user_read ON audit_logs
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY audit_logs_service_read ON audit_logs
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON audit_logs TO service_role;
GRANT SELECT ON audit_logs TO authenticated;
