REVOKE SELECT, INSERT, UPDATE, DELETE ON pillars FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON pillars FROM service_role;
DROP POLICY pillars_service_all ON pillars;
DROP POLICY pillars_user_access ON pillars;
