-- depends: 0057_consent_logs
-- Users read and update their own; what they may change is interventions_authority's business.
CREATE POLICY interventions_user_access ON interventions
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY interventions_service_all ON interventions
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON interventions TO service_role;
GRANT SELECT, UPDATE ON interventions TO authenticated;
