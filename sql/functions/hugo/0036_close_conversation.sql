-- depends: 0035_promote_personality_schema
-- Runs with the caller's rights: of another's conversation it says what it says of none.
CREATE FUNCTION close_conversation(p_conversation_id uuid)
RETURNS conversations
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_closed conversations;
BEGIN
    UPDATE conversations AS c
    SET closed_at = clock_timestamp()
    WHERE c.id = p_conversation_id
    RETURNING c.* INTO v_closed;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no conversation %s', p_conversation_id),
            HINT = 'Give the id of a conversation of your own.';
    END IF;
    RETURN v_closed;
END;
$$;
REVOKE ALL ON FUNCTION close_conversation(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION close_conversation(uuid) IS
'Closes an active conversation of the caller, once and for all, and returns it.';
