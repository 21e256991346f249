REVOKE SELECT ON archived_conversations FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON archived_conversations FROM service_role;
DROP POLICY archived_conversations_service_all ON archived_conversations;
DROP POLICY archived_conversations_user_read ON archived_conversations;
