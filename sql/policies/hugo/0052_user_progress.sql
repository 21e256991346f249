-- depends: 0051_messages
-- Own progress only.
CREATE POLICY up_user_access ON user_progress
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY user_progress_service_all ON user_progress
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_progress TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_progress TO authenticated;
