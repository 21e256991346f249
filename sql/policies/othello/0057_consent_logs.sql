-- depends: 0056_agent_activities
-- Append-only, for service_role too.
CREATE POLICY consent_logs_user_read ON consent_logs
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY consent_logs_service_all ON consent_logs
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT ON consent_logs TO service_role;
GRANT SELECT ON consent_logs TO authenticated;
