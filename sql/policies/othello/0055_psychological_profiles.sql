-- depends: 0054_messages
-- A user may read, correct and remove what is noted about them.
CREATE POLICY psychological_profiles_user_access ON psychological_profiles
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY psychological_profiles_service_all ON psychological_profiles
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON psychological_profiles TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON psychological_profiles TO authenticated;
