-- depends: 0061_vrm_models
-- One's own. A character is archived, and deleted by no API role; others see the views.
CREATE POLICY characters_owner_policy ON characters
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY characters_service_all ON characters
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE ON characters TO service_role;
GRANT SELECT, INSERT, UPDATE ON characters TO authenticated;
GRANT SELECT ON published_characters, published_models, published_voices TO anon, authenticated, service_role;
