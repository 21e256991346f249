REVOKE SELECT ON users_public FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON users FROM service_role;
DROP POLICY users_service_all ON users;
