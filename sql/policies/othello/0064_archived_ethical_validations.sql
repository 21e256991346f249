-- depends: 0063_archived_messages
-- The archive is read-only.
CREATE POLICY archived_ethical_validations_user_read ON archived_ethical_validations
FOR SELECT TO authenticated
USING (user_id = (SELECT current_user_id()));

CREATE POLICY archived_ethical_validations_service_read ON archived_ethical_validations
FOR SELECT TO service_role
USING (TRUE);
GRANT SELECT ON archived_ethical_validations TO service_role;
GRANT SELECT ON archived_ethical_validations TO authenticated;
