REVOKE SELECT ON my_character_stats FROM authenticated;
REVOKE SELECT ON character_analytics FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON character_analytics FROM service_role;
DROP POLICY character_analytics_service_all ON character_analytics;
DROP POLICY character_analytics_user_read ON character_analytics;
