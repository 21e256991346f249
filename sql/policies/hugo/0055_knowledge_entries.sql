-- depends: 0054_knowledge_bases
-- An entry is seen where its knowledge base is.
CREATE POLICY ke_read_active ON knowledge_entries
FOR SELECT TO authenticated
USING (knowledge_base_is_active(knowledge_base_id));

CREATE POLICY knowledge_entries_service_all ON knowledge_entries
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_entries TO service_role;
GRANT SELECT ON knowledge_entries TO authenticated;
