-- depends: 0155_pillars
-- Own areas only; triggers see that the pillar is one's own.
REVOKE ALL ON areas FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY areas_user_access ON areas
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY areas_service_all ON areas
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON areas TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON areas TO authenticated;
