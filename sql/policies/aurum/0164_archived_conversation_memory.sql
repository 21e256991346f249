-- depends: 0163_ai_conversation_memory
-- Own conversations, to be read.
CREATE POLICY archived_conversation_memory_user_read ON archived_conversation_memory
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY archived_conversation_memory_service_all ON archived_conversation_memory
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON archived_conversation_memory TO service_role;
GRANT SELECT ON archived_conversation_memory TO authenticated;
