REVOKE SELECT, INSERT, UPDATE, DELETE ON journal_entries FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON journal_entries FROM service_role;
DROP POLICY journal_entries_service_all ON journal_entries;
DROP POLICY journal_entries_user_access ON journal_entries;
