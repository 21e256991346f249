-- depends: 0051_users
-- A user's consent is theirs to give and to take back.
CREATE POLICY consent_tiers_user_access ON consent_tiers
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY consent_tiers_service_all ON consent_tiers
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_tiers TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_tiers TO authenticated;
