REVOKE SELECT, INSERT, UPDATE, DELETE ON voice_configs FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON voice_configs FROM service_role;
DROP POLICY voice_configs_service_all ON voice_configs;
DROP POLICY voice_configs_user_access ON voice_configs;
