-- depends: 0053_user_memories
-- What is not active is a draft, seen by service_role only.
CREATE POLICY kb_read_active ON knowledge_bases
FOR SELECT TO authenticated
USING (is_active);

CREATE POLICY knowledge_bases_service_all ON knowledge_bases
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_bases TO service_role;
GRANT SELECT ON knowledge_bases TO authenticated;
