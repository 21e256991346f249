REVOKE SELECT ON jobs FROM service_role;
DROP POLICY jobs_service_read ON jobs;
