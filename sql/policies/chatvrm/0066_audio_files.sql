-- depends: 0065_api_keys
-- Audio of one's own conversations; services write it.
CREATE POLICY audio_files_user_read ON audio_files
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY audio_files_service_all ON audio_files
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON audio_files TO service_role;
GRANT SELECT ON audio_files TO authenticated;
