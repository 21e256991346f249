-- depends: 0048_memories
-- Own sessions only.
CREATE POLICY chat_sessions_user_access ON chat_sessions
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY chat_sessions_service_all ON chat_sessions
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON chat_sessions TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON chat_sessions TO authenticated;
