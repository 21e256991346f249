-- depends: 0039_create_message_partitions
-- A conversation's messages are no older than the conversation: partitions from before it are not opened. That is
-- found out when it runs: to plan for all partitions each time would take longer than to read. Runs with the caller's
-- rights: of another's conversation it says what it says of none.
CREATE FUNCTION get_conversation_messages(
    p_conversation_id uuid, p_limit integer DEFAULT 50, p_before timestamptz DEFAULT 'infinity'
)
RETURNS SETOF messages
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
SET plan_cache_mode = 'force_generic_plan'
AS $$
DECLARE
    v_started_at timestamptz;
BEGIN
    SELECT c.started_at INTO v_started_at FROM conversations AS c WHERE c.id = p_conversation_id;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no conversation %s', p_conversation_id),
            HINT = 'Give the id of a conversation of your own.',
            CONSTRAINT = 'conversations_pkey',
            TABLE = 'conversations',
            SCHEMA = current_schema();
    END IF;
    RETURN QUERY
    SELECT m.*
    FROM messages AS m
    WHERE
        m.conversation_id = p_conversation_id
        AND m.created_at >= v_started_at
        AND m.created_at < coalesce(p_before, 'infinity')
    ORDER BY m.created_at DESC, m.id DESC
    LIMIT least(greatest(coalesce(p_limit, 50), 1), 1000);
END;
$$;
REVOKE ALL ON FUNCTION get_conversation_messages(
    uuid, integer, timestamptz
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_conversation_messages(uuid, integer, timestamptz) IS
'The latest messages (1 to 1000) of a conversation of the caller before a time, latest first.';
