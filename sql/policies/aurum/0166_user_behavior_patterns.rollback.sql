REVOKE SELECT ON user_behavior_patterns FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_behavior_patterns FROM service_role;
DROP POLICY user_behavior_patterns_service_all ON user_behavior_patterns;
DROP POLICY user_behavior_patterns_user_read ON user_behavior_patterns;
