-- depends: 0170_slow_queries
-- Jobs are declared by migrations; service_role reads them.
CREATE POLICY jobs_service_read ON jobs
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON jobs TO service_role;
