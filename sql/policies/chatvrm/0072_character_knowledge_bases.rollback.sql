REVOKE SELECT, INSERT, DELETE ON character_knowledge_bases FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON character_knowledge_bases FROM service_role;
DROP POLICY character_knowledge_bases_service_all ON character_knowledge_bases;
DROP POLICY character_knowledge_bases_user_access ON character_knowledge_bases;
