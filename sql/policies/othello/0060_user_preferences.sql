-- depends: 0059_ethical_validations
-- Own preferences only.
CREATE POLICY user_preferences_user_access ON user_preferences
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY user_preferences_service_all ON user_preferences
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_preferences TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_preferences TO authenticated;
