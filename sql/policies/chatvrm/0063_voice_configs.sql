-- depends: 0062_characters
-- Of one's own characters; user_id is the owner's by foreign key.
CREATE POLICY voice_configs_user_access ON voice_configs
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY voice_configs_service_all ON voice_configs
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON voice_configs TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON voice_configs TO authenticated;
