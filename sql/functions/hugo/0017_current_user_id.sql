-- depends: 0016_jobs
-- The only place that maps the caller to a user. A definer function: users has row-level security, and its policies
-- ask this very question.
CREATE FUNCTION current_user_id()
RETURNS uuid
LANGUAGE sql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
BEGIN ATOMIC
    SELECT coalesce(
        (
            SELECT u.id
            FROM users AS u
            WHERE u.id = auth.uid()
        ),
        (
            SELECT u.id
            FROM users AS u
            WHERE u.oriva_user_id = auth.uid()
        )
    );
END;
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION current_user_id() IS
'The caller''s users.id: the row whose id is auth.uid(), else the row whose oriva_user_id is; null for a stranger.';
