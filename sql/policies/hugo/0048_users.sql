-- depends: 0047_schema_usage
-- A person sees and updates their own row; which columns is users_authority's business.
CREATE POLICY users_select_own ON users
FOR SELECT TO authenticated
USING (id = (SELECT current_user_id()));

CREATE POLICY users_update_own ON users
FOR UPDATE TO authenticated
USING (id = (SELECT current_user_id()))
WITH CHECK (id = (SELECT current_user_id()));

CREATE POLICY users_service_all ON users
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO service_role;
GRANT SELECT, UPDATE ON users TO authenticated;
