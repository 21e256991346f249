-- depends: 0071_knowledge_bases
-- Links of one's own.
CREATE POLICY character_knowledge_bases_user_access ON character_knowledge_bases
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY character_knowledge_bases_service_all ON character_knowledge_bases
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON character_knowledge_bases TO service_role;
GRANT SELECT, INSERT, DELETE ON character_knowledge_bases TO authenticated;
