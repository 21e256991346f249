-- depends: 0067_conversations
-- Of one's own conversations; user_id is the conversation's by trigger.
CREATE POLICY messages_user_access ON messages
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY messages_service_all ON messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO service_role;
GRANT SELECT, INSERT ON messages TO authenticated;
