-- depends: 0064_archived_ethical_validations
-- Users read what they can consent to; operators add to it.
CREATE POLICY consent_scopes_read ON consent_scopes
FOR SELECT TO authenticated
USING (TRUE);

CREATE POLICY consent_scopes_service_all ON consent_scopes
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON consent_scopes TO service_role;
GRANT SELECT ON consent_scopes TO authenticated;
