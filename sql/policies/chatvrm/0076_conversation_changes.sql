-- depends: 0075_character_analytics
-- Nobody's but the counters'.
CREATE POLICY conversation_changes_service_read ON conversation_changes
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON conversation_changes TO service_role;
