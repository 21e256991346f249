-- depends: 0052_consent_tiers
-- Own conversations only. Nobody deletes one, its validations would go along; soft_delete_conversation() hides it.
CREATE POLICY conversations_user_access ON conversations
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()) AND deleted_at IS NULL)
WITH CHECK (user_id = (SELECT current_user_id()) AND deleted_at IS NULL);

CREATE POLICY conversations_service_all ON conversations
FOR ALL TO service_role
USING (deleted_at IS NULL)
WITH CHECK (deleted_at IS NULL);
GRANT SELECT, INSERT, UPDATE ON conversations TO service_role;
GRANT SELECT, INSERT, UPDATE ON conversations TO authenticated;
