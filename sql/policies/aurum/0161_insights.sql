-- depends: 0160_user_stats
-- Own insights only; triggers see that what they are about is one's own.
CREATE POLICY insights_user_access ON insights
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY insights_service_all ON insights
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON insights TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON insights TO authenticated;
