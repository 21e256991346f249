-- depends: 0058_archived_conversations
-- The owner may still read and erase; nobody but the job adds or changes.
CREATE POLICY archived_messages_user_access ON archived_messages
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY archived_messages_service_all ON archived_messages
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON archived_messages TO service_role;
GRANT SELECT, DELETE ON archived_messages TO authenticated;
