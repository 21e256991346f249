REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_bases FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON knowledge_bases FROM service_role;
DROP POLICY knowledge_bases_service_all ON knowledge_bases;
DROP POLICY knowledge_bases_user_access ON knowledge_bases;
