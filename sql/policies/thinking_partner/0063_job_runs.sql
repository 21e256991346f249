-- depends: 0062_job_runs
-- service_role reads them; the owner, who runs the jobs, writes them.
CREATE POLICY job_runs_service_read ON job_runs
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON job_runs TO service_role;
