-- depends: 0073_documents
-- Of one's own documents.
CREATE POLICY document_chunks_user_access ON document_chunks
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY document_chunks_service_all ON document_chunks
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON document_chunks TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON document_chunks TO authenticated;
