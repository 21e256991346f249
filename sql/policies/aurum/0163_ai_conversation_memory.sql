-- depends: 0162_daily_reflections
-- Own conversations only.
CREATE POLICY ai_conversation_memory_user_access ON ai_conversation_memory
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY ai_conversation_memory_service_all ON ai_conversation_memory
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON ai_conversation_memory TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON ai_conversation_memory TO authenticated;
