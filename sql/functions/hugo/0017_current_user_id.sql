-- depends: 0016_jobs
-- The only place that maps the caller to a user. A definer function: users has row-level security, and its policies
-- ask this very question. In plpgsql, because every statement of an API role calls it once, and an SQL function that
-- cannot be inlined takes four times as long.
CREATE FUNCTION current_user_id()
RETURNS uuid
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_uid CONSTANT uuid := auth.uid();
    v_id uuid;
BEGIN
    SELECT u.id INTO v_id FROM users AS u WHERE u.id = c_uid;
    IF NOT found THEN
        SELECT u.id INTO v_id FROM users AS u WHERE u.oriva_user_id = c_uid;
    END IF;
    RETURN v_id;
END;
$$;
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION current_user_id() IS
'The caller''s users.id: the row whose id is auth.uid(), else the row whose oriva_user_id is; null for a stranger.';
