-- depends: 0002_users
-- The only place that maps the caller to a user. A sub of Auth0 is no UUID, so auth.uid() would fail on it. A definer
-- function, since the policies of users call it. In plpgsql, because every statement of an API role calls it once, and
-- an SQL function that cannot be inlined takes four times as long.
CREATE FUNCTION current_user_id()
RETURNS uuid
LANGUAGE plpgsql
STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_id uuid;
BEGIN
    SELECT u.id INTO v_id FROM users AS u WHERE u.auth0_id = auth.jwt() ->> 'sub';
    RETURN v_id;
END;
$$;
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION current_user_id() IS
'The caller''s users.id: of the user whose auth0_id is the token''s sub; null for anybody else.';
