-- depends: 0062_archived_conversations
-- The archive is read-only; what was deleted stays hidden.
CREATE POLICY archived_messages_user_read ON archived_messages
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()) AND deleted_at IS NULL);

CREATE POLICY archived_messages_service_read ON archived_messages
FOR SELECT TO service_role
USING (deleted_at IS NULL);
GRANT SELECT ON archived_messages TO service_role;
GRANT SELECT ON archived_messages TO authenticated;
