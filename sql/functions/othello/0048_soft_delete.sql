-- depends: 0047_expire_inactive_sessions
-- Definer functions: what is deleted is invisible to the caller, who could not write such a row. Another's row is
-- answered like a missing one.
CREATE FUNCTION soft_delete_user(p_user_id bigint)
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE users AS u
    SET deleted_at = now()
    WHERE u.id = p_user_id AND u.deleted_at IS NULL AND (u.id = current_user_id() OR platform.is_service());
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no user %s', p_user_id),
            HINT = 'Give your own id.';
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION soft_delete_user(bigint) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION soft_delete_user(bigint) IS
'Hides the caller (or anyone, for service_role) from the API, ends their sessions, dismisses what was scheduled.';

CREATE FUNCTION soft_delete_conversation(p_conversation_id bigint)
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE conversations AS c
    SET deleted_at = now()
    WHERE
        c.id = p_conversation_id
        AND c.deleted_at IS NULL
        AND (c.user_id = current_user_id() OR platform.is_service());
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no conversation %s', p_conversation_id),
            HINT = 'Give the id of a conversation of your own.';
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION soft_delete_conversation(bigint) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION soft_delete_conversation(bigint) IS
'Hides a conversation of the caller (or any, for service_role) and its messages from the API.';
