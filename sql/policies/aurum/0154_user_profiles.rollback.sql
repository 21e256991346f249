REVOKE SELECT, INSERT, UPDATE, DELETE ON user_profiles FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_profiles FROM service_role;
DROP POLICY user_profiles_service_all ON user_profiles;
DROP POLICY user_profiles_user_access ON user_profiles;
