-- depends: 0053_conversations
-- Own messages only; user_id is the conversation's owner by foreign key, so no look into conversations is needed.
CREATE POLICY messages_user_access ON messages
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()) AND deleted_at IS NULL)
WITH CHECK (user_id = (SELECT current_user_id()) AND deleted_at IS NULL);

CREATE POLICY messages_service_all ON messages
FOR ALL TO service_role
USING (deleted_at IS NULL)
WITH CHECK (deleted_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON messages TO service_role;
GRANT SELECT, INSERT, UPDATE ON messages TO authenticated;
