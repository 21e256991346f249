-- depends: 0033_follow_subscription
-- A key is 244 random bits behind a prefix by which people know it. It is looked up by its hash, in an index, so that a
-- wrong one costs the same whatever is wrong with it, and a copy of the table opens nothing. A refusal is no row and no
-- error: an error would put the statement, and the key with it, into the server's log.
CREATE FUNCTION create_api_key(p_name text, p_scopes text[], p_expires_at timestamptz DEFAULT NULL)
RETURNS TABLE (
    id uuid,
    key text,
    key_prefix varchar(255)
)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    c_user CONSTANT uuid := current_user_id();
    c_prefix CONSTANT text := substr(encode(uuid_send(gen_random_uuid()), 'hex'), 1, 8);
    c_key CONSTANT text := concat(
        'cvrm_', c_prefix, '_', encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'hex')
    );
    v_id uuid;
BEGIN
    IF c_user IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'create_api_key() makes a key for its caller, who is no user',
            HINT = 'Call it with a user''s token.',
            CONSTRAINT = 'api_keys_user_check',
            TABLE = 'api_keys',
            SCHEMA = current_schema();
    END IF;
    -- Refused here: the detail of a failed CHECK shows the row, and the hash in it.
    IF p_scopes IS NULL OR NOT platform.is_set(p_scopes) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'scopes are a list without duplicates and nulls',
            HINT = 'An empty array is a key without scopes.',
            CONSTRAINT = 'api_keys_scopes_check',
            TABLE = 'api_keys',
            SCHEMA = current_schema();
    ELSIF NOT coalesce(platform.is_not_blank(p_name) AND length(p_name) <= 255, FALSE) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a key needs a name of at most 255 characters',
            HINT = 'Name it after the program that uses it.',
            CONSTRAINT = 'api_keys_name_check',
            TABLE = 'api_keys',
            SCHEMA = current_schema();
    ELSIF p_expires_at <= now() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a key expires in the future',
            HINT = 'Leave p_expires_at out for a key that does not expire.',
            CONSTRAINT = 'api_keys_expires_at_check',
            TABLE = 'api_keys',
            SCHEMA = current_schema();
    END IF;

    INSERT INTO api_keys AS k (user_id, key_hash, key_prefix, name, scopes, expires_at)
    VALUES (
        c_user, encode(sha256(convert_to(c_key, 'UTF8')), 'hex'), c_prefix, p_name, p_scopes, p_expires_at
    )
    RETURNING k.id INTO v_id;
    RETURN QUERY SELECT v_id, c_key, c_prefix::varchar(255);
END;
$$;
REVOKE ALL ON FUNCTION create_api_key(text, text[], timestamptz) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION create_api_key(text, text[], timestamptz) IS
'Makes a key for the caller and returns it, this once: cvrm_<prefix>_<secret>.';

CREATE FUNCTION authenticate_api_key(p_key text)
RETURNS TABLE (
    user_id uuid,
    scopes varchar(255)[]
)
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    v_key api_keys;
BEGIN
    SELECT k.* INTO v_key
    FROM api_keys AS k
    WHERE
        k.key_hash = encode(sha256(convert_to(p_key, 'UTF8')), 'hex')
        AND k.is_active
        AND coalesce(k.expires_at > now(), TRUE);
    IF NOT found THEN
        RETURN;
    END IF;
    -- Once a minute is enough, and nobody waits for it: one key may come a thousand times in a second. Asked again under
    -- the lock, which another session may just have let go.
    IF coalesce(v_key.last_used_at < now() - interval '1 minute', TRUE) THEN
        UPDATE api_keys AS k
        SET last_used_at = now()
        WHERE
            k.id = (
                SELECT l.id
                FROM api_keys AS l
                WHERE l.id = v_key.id AND coalesce(l.last_used_at < now() - interval '1 minute', TRUE)
                FOR NO KEY UPDATE SKIP LOCKED
            );
    END IF;
    RETURN QUERY SELECT v_key.user_id, v_key.scopes;
END;
$$;
REVOKE ALL ON FUNCTION authenticate_api_key(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION authenticate_api_key(text) IS
'User and scopes of an active, unexpired key; no row for any other.';

CREATE FUNCTION revoke_api_key(p_id uuid)
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE api_keys AS k
    SET is_active = FALSE
    WHERE k.id = p_id AND (k.user_id = current_user_id() OR platform.is_service());
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no key %s', p_id),
            HINT = 'Give the id of a key of your own.',
            CONSTRAINT = 'api_keys_pkey',
            TABLE = 'api_keys',
            SCHEMA = current_schema();
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION revoke_api_key(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION revoke_api_key(uuid) IS 'Ends a key of the caller, for good.';
