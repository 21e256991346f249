-- depends: 0078_audit_logs
-- Services may look.
CREATE POLICY jobs_service_read ON jobs
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON jobs TO service_role;
