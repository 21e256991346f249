-- depends: 0027_session_messages_triggers
-- The UPDATE moves updated_at and locks the session: messages of one session are appended one after the other, those
-- of different ones at once. It runs with the caller's rights: another's session is like a missing one.
CREATE FUNCTION append_session_message(
    p_session_id uuid,
    p_role text,
    p_content text,
    p_metadata jsonb DEFAULT '{}'
)
RETURNS session_messages
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_user uuid;
    v_status text;
    v_message session_messages;
BEGIN
    UPDATE chat_sessions AS s
    SET updated_at = now()
    WHERE s.id = p_session_id
    RETURNING s.user_id, s.status INTO v_user, v_status;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no session %s', p_session_id),
            HINT = 'Give the id of a session of your own.',
            CONSTRAINT = 'session_messages_session_id_fkey',
            TABLE = 'session_messages',
            SCHEMA = current_schema();
    ELSIF v_status <> 'active' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('session %s is %s', p_session_id, v_status),
            HINT = 'Begin another with get_or_create_chat_session().',
            CONSTRAINT = 'session_messages_session_active_check',
            TABLE = 'session_messages',
            SCHEMA = current_schema();
    END IF;

    INSERT INTO session_messages (session_id, user_id, role, content, metadata, sequence_number)
    VALUES (
        p_session_id, v_user, p_role, p_content, coalesce(p_metadata, '{}'),
        (SELECT coalesce(max(m.sequence_number), 0) + 1 FROM session_messages AS m WHERE m.session_id = p_session_id)
    )
    RETURNING * INTO v_message;
    RETURN v_message;
END;
$$;
REVOKE ALL ON FUNCTION append_session_message(uuid, text, text, jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION append_session_message(uuid, text, text, jsonb) IS
'Appends a message with the next number to an active session of the caller and returns it.';
