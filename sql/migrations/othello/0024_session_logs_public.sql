-- depends: 0023_users_public
-- What a user sees of session_logs: their own sign-ins, without the tokens.
CREATE VIEW session_logs_public
WITH (security_barrier = TRUE) AS
SELECT
    s.id,
    s.user_id,
    s.ip_address,
    s.user_agent,
    s.login_at,
    s.last_activity_at,
    s.logout_at,
    s.is_active
FROM session_logs AS s
WHERE s.user_id = (SELECT current_user_id());
REVOKE ALL ON session_logs_public FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON VIEW session_logs_public IS 'The caller''s own rows of session_logs, without session_token.';
