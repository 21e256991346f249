REVOKE SELECT, UPDATE ON users FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON users FROM service_role;
DROP POLICY users_service_all ON users;
DROP POLICY users_user_access ON users;
