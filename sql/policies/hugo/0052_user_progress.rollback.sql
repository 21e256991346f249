REVOKE SELECT, INSERT, UPDATE, DELETE ON user_progress FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON user_progress FROM service_role;
DROP POLICY user_progress_service_all ON user_progress;
DROP POLICY up_user_access ON user_progress;
