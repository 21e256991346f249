-- depends: 0059_schema_usage
-- One's own row.
CREATE POLICY users_user_access ON users
FOR ALL TO authenticated
USING (id = (SELECT current_user_id()))
WITH CHECK (id = (SELECT current_user_id()));

CREATE POLICY users_service_all ON users
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO service_role;
GRANT SELECT, UPDATE ON users TO authenticated;
