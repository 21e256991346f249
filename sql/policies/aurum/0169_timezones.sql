-- depends: 0168_audit_log
-- Users read what they can choose from; operators add what a new server knows.
CREATE POLICY timezones_read ON timezones
FOR SELECT TO authenticated
USING (TRUE);

CREATE POLICY timezones_service_all ON timezones
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON timezones TO service_role;
GRANT SELECT ON timezones TO authenticated;
