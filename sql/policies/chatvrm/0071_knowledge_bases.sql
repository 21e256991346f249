-- depends: 0070_archived_messages
-- One's own.
CREATE POLICY knowledge_bases_user_access ON knowledge_bases
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY knowledge_bases_service_all ON knowledge_bases
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_bases TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_bases TO authenticated;
