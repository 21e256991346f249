-- depends: 0058_interventions
-- Append-only, for service_role too.
CREATE POLICY ethical_validations_user_read ON ethical_validations
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY ethical_validations_service_all ON ethical_validations
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT ON ethical_validations TO service_role;
GRANT SELECT ON ethical_validations TO authenticated;
