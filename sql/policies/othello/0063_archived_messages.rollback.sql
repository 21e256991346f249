REVOKE SELECT ON archived_messages FROM authenticated;
REVOKE SELECT ON archived_messages FROM service_role;
DROP POLICY archived_messages_service_read ON archived_messages;
DROP POLICY archived_messages_user_read ON archived_messages;
