REVOKE SELECT, INSERT, UPDATE ON user_stats FROM authenticated;
REVOKE SELECT, INSERT, UPDATE ON user_stats FROM service_role;
DROP POLICY user_stats_service_all ON user_stats;
DROP POLICY user_stats_user_access ON user_stats;
