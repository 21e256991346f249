-- depends: 0154_user_profiles
-- Own pillars only.
REVOKE ALL ON pillars FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY pillars_user_access ON pillars
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY pillars_service_all ON pillars
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON pillars TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON pillars TO authenticated;
