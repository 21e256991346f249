REVOKE SELECT, INSERT, UPDATE, DELETE ON slow_queries FROM service_role;
DROP POLICY slow_queries_service_all ON slow_queries;
