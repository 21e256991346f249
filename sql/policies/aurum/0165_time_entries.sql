-- depends: 0164_archived_conversation_memory
-- Own entries only; triggers see that what they are about is one's own.
CREATE POLICY time_entries_user_access ON time_entries
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY time_entries_service_all ON time_entries
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON time_entries TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON time_entries TO authenticated;
