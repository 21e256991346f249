-- depends: 0069_archived_conversations
-- One's own, to read.
CREATE POLICY archived_messages_user_read ON archived_messages
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY archived_messages_service_all ON archived_messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON archived_messages TO service_role;
GRANT SELECT ON archived_messages TO authenticated;
