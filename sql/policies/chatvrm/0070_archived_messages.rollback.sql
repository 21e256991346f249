REVOKE SELECT ON archived_messages FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON archived_messages FROM service_role;
DROP POLICY archived_messages_service_all ON archived_messages;
DROP POLICY archived_messages_user_read ON archived_messages;
