-- depends: 0050_schema_usage
-- Nothing for users: the row holds the password's hash. They read users_public. Deleted rows are nobody's.
CREATE POLICY users_service_all ON users
FOR ALL TO service_role
USING (deleted_at IS NULL)
WITH CHECK (deleted_at IS NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO service_role;
GRANT SELECT ON users_public TO authenticated;
