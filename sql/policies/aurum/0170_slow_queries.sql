-- depends: 0169_timezones
-- Operators only.
CREATE POLICY slow_queries_service_all ON slow_queries
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON slow_queries TO service_role;
