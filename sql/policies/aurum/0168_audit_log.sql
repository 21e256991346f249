-- depends: 0167_user_statistics_cache
-- Triggers write what users read; nobody changes it.
CREATE POLICY audit_log_user_read ON audit_log
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY audit_log_service_read ON audit_log
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON audit_log TO service_role;
GRANT SELECT ON audit_log TO authenticated;
