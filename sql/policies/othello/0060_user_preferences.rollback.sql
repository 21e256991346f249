REVOKE SELECT, INSERT, UPDATE, DELETE ON user_preferences FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_preferences FROM service_role;
DROP POLICY user_preferences_service_all ON user_preferences;
DROP POLICY user_preferences_user_access ON user_preferences;
