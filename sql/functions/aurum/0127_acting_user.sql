-- depends: 0126_user_statistics_cache
-- For whom a function works: the caller, or whom a service names.
CREATE FUNCTION acting_user(p_user_id uuid)
RETURNS uuid
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_service CONSTANT boolean := platform.is_service();
BEGIN
    IF c_service AND p_user_id IS NOT NULL THEN
        RETURN p_user_id;
    ELSIF c_service OR current_user_id() IS NULL OR p_user_id <> current_user_id() THEN
        RAISE EXCEPTION USING
            ERRCODE = CASE WHEN c_service THEN 'invalid_parameter_value' ELSE 'insufficient_privilege' END,
            MESSAGE = CASE
                WHEN c_service THEN 'a service says for which user'
                ELSE 'this works for the caller only'
            END,
            HINT = CASE
                WHEN c_service THEN 'Give the id of a user.'
                ELSE 'Leave the user out, or give your own id.'
            END;
    END IF;
    RETURN current_user_id();
END;
$$;
REVOKE ALL ON FUNCTION acting_user(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION acting_user(uuid) IS
'The caller, or the user that a service names; anybody else''s id is refused (42501).';
