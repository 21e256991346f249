REVOKE SELECT, INSERT, UPDATE, DELETE ON tasks FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON tasks FROM service_role;
DROP POLICY tasks_service_all ON tasks;
DROP POLICY tasks_user_access ON tasks;
