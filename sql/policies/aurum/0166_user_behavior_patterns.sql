-- depends: 0165_time_entries
-- Services write what users read.
CREATE POLICY user_behavior_patterns_user_read ON user_behavior_patterns
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY user_behavior_patterns_service_all ON user_behavior_patterns
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_behavior_patterns TO service_role;
GRANT SELECT ON user_behavior_patterns TO authenticated;
