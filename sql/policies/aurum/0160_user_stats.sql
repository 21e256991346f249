-- depends: 0159_journal_entries
-- One's own row. It may be written, since applications did; what the database keeps stays as it is. Nobody deletes it:
-- counting would begin anew.
REVOKE ALL ON user_stats FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY user_stats_user_access ON user_stats
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY user_stats_service_all ON user_stats
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE ON user_stats TO service_role;
GRANT SELECT, INSERT, UPDATE ON user_stats TO authenticated;
