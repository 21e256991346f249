REVOKE SELECT ON user_statistics_cache FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_statistics_cache FROM service_role;
DROP POLICY user_statistics_cache_service_all ON user_statistics_cache;
DROP POLICY user_statistics_cache_user_read ON user_statistics_cache;
