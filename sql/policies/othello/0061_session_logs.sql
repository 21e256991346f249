-- depends: 0060_user_preferences
-- Nothing for users: the row holds the token's hash. They read session_logs_public.
CREATE POLICY session_logs_service_all ON session_logs
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON session_logs TO service_role;
GRANT SELECT ON session_logs_public TO authenticated;
