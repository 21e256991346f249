-- depends: 0074_document_chunks
-- Of one's own characters, to read.
CREATE POLICY character_analytics_user_read ON character_analytics
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY character_analytics_service_all ON character_analytics
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON character_analytics TO service_role;
GRANT SELECT ON character_analytics TO authenticated;
GRANT SELECT ON my_character_stats TO authenticated;
