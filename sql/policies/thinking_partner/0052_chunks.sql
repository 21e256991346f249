-- depends: 0051_documents
-- Chunks of one's own documents, in a project or not; user_id is the document's user by foreign key.
CREATE POLICY chunks_user_access ON chunks
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY chunks_service_all ON chunks
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON chunks TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON chunks TO authenticated;
