-- depends: 0057_email_delivery_log
-- Jobs are declared by migrations; service_role reads them.
CREATE POLICY jobs_service_read ON jobs
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON jobs TO service_role;
