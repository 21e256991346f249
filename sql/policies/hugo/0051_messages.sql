-- depends: 0050_conversations
-- Own messages only; user_id is the conversation's owner by foreign key, so no look into conversations is needed.
CREATE POLICY messages_user_access ON messages
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY messages_service_all ON messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO authenticated;
