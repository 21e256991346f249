REVOKE SELECT ON scheduled_messages FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON scheduled_messages FROM service_role;
DROP POLICY scheduled_messages_service_all ON scheduled_messages;
DROP POLICY scheduled_messages_user_read ON scheduled_messages;
