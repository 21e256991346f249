REVOKE SELECT ON conversation_changes FROM service_role;
DROP POLICY conversation_changes_service_read ON conversation_changes;
