-- depends: 0166_user_behavior_patterns
-- Functions write what users read.
CREATE POLICY user_statistics_cache_user_read ON user_statistics_cache
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY user_statistics_cache_service_all ON user_statistics_cache
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_statistics_cache TO service_role;
GRANT SELECT ON user_statistics_cache TO authenticated;
