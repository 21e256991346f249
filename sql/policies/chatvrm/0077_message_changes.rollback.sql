REVOKE SELECT ON message_changes FROM service_role;
DROP POLICY message_changes_service_read ON message_changes;
