-- depends: 0153_views
-- One's own profile. What an installation had granted before it was adopted is taken back first.
REVOKE ALL ON user_profiles FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY user_profiles_user_access ON user_profiles
FOR ALL TO authenticated
USING (id = (SELECT current_user_id()))
WITH CHECK (id = (SELECT current_user_id()));

CREATE POLICY user_profiles_service_all ON user_profiles
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_profiles TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_profiles TO authenticated;
