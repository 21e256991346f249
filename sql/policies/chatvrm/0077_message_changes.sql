-- depends: 0076_conversation_changes
-- Nobody's but the counters'.
CREATE POLICY message_changes_service_read ON message_changes
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON message_changes TO service_role;
