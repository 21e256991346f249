REVOKE SELECT, INSERT, UPDATE, DELETE ON psychological_profiles FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON psychological_profiles FROM service_role;
DROP POLICY psychological_profiles_service_all ON psychological_profiles;
DROP POLICY psychological_profiles_user_access ON psychological_profiles;
