-- depends: 0021_jobs
-- The only place that maps the caller to a user. A definer function: users is closed to users. In plpgsql, because
-- every statement of an API role calls it once, and an SQL function that cannot be inlined takes four times as long.
CREATE FUNCTION current_user_id()
RETURNS bigint
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_id bigint;
BEGIN
    SELECT u.id INTO v_id FROM users AS u WHERE u.external_id = auth.uid() AND u.is_active AND u.deleted_at IS NULL;
    RETURN v_id;
END;
$$;
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION current_user_id() IS
'The caller''s users.id: the live, active user whose external_id is auth.uid(); null for anybody else.';
