-- depends: 0061_session_logs
-- The archive is read-only; what was deleted stays hidden.
CREATE POLICY archived_conversations_user_read ON archived_conversations
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()) AND deleted_at IS NULL);

CREATE POLICY archived_conversations_service_read ON archived_conversations
FOR SELECT TO service_role
USING (deleted_at IS NULL);
GRANT SELECT ON archived_conversations TO service_role;
GRANT SELECT ON archived_conversations TO authenticated;
