REVOKE SELECT ON audio_files FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON audio_files FROM service_role;
DROP POLICY audio_files_service_all ON audio_files;
DROP POLICY audio_files_user_read ON audio_files;
