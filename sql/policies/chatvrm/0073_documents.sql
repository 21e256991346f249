-- depends: 0072_character_knowledge_bases
-- Of one's own knowledge bases; a document is archived, not deleted.
CREATE POLICY documents_user_access ON documents
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY documents_service_all ON documents
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO service_role;
GRANT SELECT, INSERT, UPDATE ON documents TO authenticated;
