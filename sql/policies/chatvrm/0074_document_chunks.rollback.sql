REVOKE SELECT, INSERT, UPDATE, DELETE ON document_chunks FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON document_chunks FROM service_role;
DROP POLICY document_chunks_service_all ON document_chunks;
DROP POLICY document_chunks_user_access ON document_chunks;
