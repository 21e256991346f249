-- depends: 0066_audio_files
-- One's own words only: the owner of a character reads no conversations of others. Visitors' go through services.
CREATE POLICY conversations_user_access ON conversations
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY conversations_service_all ON conversations
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON conversations TO service_role;
GRANT SELECT, INSERT, UPDATE ON conversations TO authenticated;
