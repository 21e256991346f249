-- depends: 0036_close_conversation
-- Skips what a session is just writing to: that one is not inactive, or is looked at tomorrow.
CREATE FUNCTION close_inactive_conversations()
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_closed integer;
BEGIN
    UPDATE conversations AS c
    SET closed_at = clock_timestamp()
    WHERE c.id = ANY(
        ARRAY(
            SELECT o.id
            FROM conversations AS o
            WHERE o.closed_at IS NULL
                AND o.activated_at IS NOT NULL
                AND o.last_message_at < now() - interval '30 days'
            FOR UPDATE SKIP LOCKED
        )
    );
    GET DIAGNOSTICS v_closed = ROW_COUNT;
    RETURN v_closed;
END;
$$;
REVOKE ALL ON FUNCTION close_inactive_conversations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION close_inactive_conversations() IS
'Closes active conversations without a message for 30 days and returns how many. A job.';
