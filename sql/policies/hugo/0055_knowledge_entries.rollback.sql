REVOKE SELECT ON knowledge_entries FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_entries FROM service_role;
DROP POLICY knowledge_entries_service_all ON knowledge_entries;
DROP POLICY ke_read_active ON knowledge_entries;
