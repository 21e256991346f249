REVOKE SELECT, INSERT, UPDATE, DELETE ON time_entries FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON time_entries FROM service_role;
DROP POLICY time_entries_service_all ON time_entries;
DROP POLICY time_entries_user_access ON time_entries;
