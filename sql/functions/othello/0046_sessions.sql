-- depends: 0045_session_logs_triggers
-- For services that sign users in. A token is told once and never stored; a statement finds a session by the sha256 of
-- it, so that a copy of the table opens no session, and rotating is one UPDATE, which only one of several callers wins.
CREATE FUNCTION make_session_token()
RETURNS text
LANGUAGE sql
VOLATILE
-- 244 random bits in 43 characters of base64url.
RETURN translate(
    encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_'
);
REVOKE ALL ON FUNCTION make_session_token() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION make_session_token() IS 'A new random token.';

CREATE FUNCTION session_token_hash(p_token text)
RETURNS text
LANGUAGE sql
STABLE
RETURN encode(sha256(convert_to(p_token, 'UTF8')), 'hex');
REVOKE ALL ON FUNCTION session_token_hash(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION session_token_hash(text) IS 'What session_logs.session_token holds for a token.';

CREATE FUNCTION open_session(p_user_id bigint, p_ip inet, p_user_agent text)
RETURNS text
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_token CONSTANT text := make_session_token();
BEGIN
    -- The lock: whoever deletes the user at this moment ends this session too.
    PERFORM FROM users AS u WHERE u.id = p_user_id AND u.is_active AND u.deleted_at IS NULL FOR SHARE;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no active user %s', p_user_id),
            HINT = 'Give the id of a user who is active and not deleted.';
    END IF;
    INSERT INTO session_logs (user_id, session_token, ip_address, user_agent)
    VALUES (p_user_id, session_token_hash(c_token), p_ip, p_user_agent);
    RETURN c_token;
END;
$$;
REVOKE ALL ON FUNCTION open_session(bigint, inet, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION open_session(bigint, inet, text) IS
'Opens a session for an active user and returns its token, which is told this once.';

CREATE FUNCTION touch_session(p_token text)
RETURNS bigint
LANGUAGE sql
VOLATILE
BEGIN ATOMIC
    UPDATE session_logs AS s
    SET last_activity_at = greatest(s.last_activity_at, clock_timestamp())
    FROM users AS u
    WHERE
        s.session_token = session_token_hash(p_token)
        AND s.is_active
        AND s.user_id = u.id
        AND u.is_active
        AND u.deleted_at IS NULL
    RETURNING s.user_id;
END;
REVOKE ALL ON FUNCTION touch_session(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION touch_session(text) IS
'The users.id of an active session of an active user, whose last_activity_at it moves; null for any other token.';

CREATE FUNCTION rotate_session(p_token text)
RETURNS text
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_token CONSTANT text := make_session_token();
BEGIN
    UPDATE session_logs AS s
    SET
        session_token = session_token_hash(c_token),
        rotated_at = clock_timestamp(),
        last_activity_at = greatest(s.last_activity_at, clock_timestamp())
    FROM users AS u
    WHERE
        s.session_token = session_token_hash(p_token)
        AND s.is_active
        AND s.user_id = u.id
        AND u.is_active
        AND u.deleted_at IS NULL;
    RETURN CASE WHEN found THEN c_token END;
END;
$$;
REVOKE ALL ON FUNCTION rotate_session(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION rotate_session(text) IS
'A new token for an active session; from then on the old one is worth nothing. Null for a token that is worth nothing.';

CREATE FUNCTION close_session(p_token text)
RETURNS boolean
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE session_logs AS s
    SET is_active = FALSE, logout_at = clock_timestamp()
    WHERE s.session_token = session_token_hash(p_token) AND s.is_active;
    RETURN found;
END;
$$;
REVOKE ALL ON FUNCTION close_session(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION close_session(text) IS 'Ends the session of a token; whether there was one.';
