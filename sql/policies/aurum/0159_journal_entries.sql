-- depends: 0158_tasks
-- Own entries only.
REVOKE ALL ON journal_entries FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY journal_entries_user_access ON journal_entries
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY journal_entries_service_all ON journal_entries
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON journal_entries TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON journal_entries TO authenticated;
