REVOKE SELECT ON job_runs FROM service_role;
DROP POLICY job_runs_service_read ON job_runs;
