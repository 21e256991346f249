REVOKE SELECT ON knowledge_bases FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_bases FROM service_role;
DROP POLICY knowledge_bases_service_all ON knowledge_bases;
DROP POLICY kb_read_active ON knowledge_bases;
