-- depends: 0049_chat_sessions
-- Messages of one's own sessions; user_id is the session's user by foreign key.
CREATE POLICY session_messages_user_access ON session_messages
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY session_messages_service_all ON session_messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON session_messages TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON session_messages TO authenticated;
