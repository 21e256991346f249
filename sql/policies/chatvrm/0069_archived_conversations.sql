-- depends: 0068_messages
-- One's own, to read.
CREATE POLICY archived_conversations_user_read ON archived_conversations
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY archived_conversations_service_all ON archived_conversations
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON archived_conversations TO service_role;
GRANT SELECT ON archived_conversations TO authenticated;
