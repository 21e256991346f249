-- depends: 0041_scheduled_messages_triggers
-- A claim is a lease and no state: whoever sends a message says so, or that it failed; else it is offered again.
CREATE FUNCTION claim_due_messages(p_limit integer DEFAULT 10)
RETURNS SETOF scheduled_messages
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT s.id
        FROM scheduled_messages AS s
        WHERE
            s.status = 'pending'
            AND s.scheduled_for <= now()
            AND (s.claimed_until IS NULL OR s.claimed_until < now())
        ORDER BY s.scheduled_for, s.id
        LIMIT least(greatest(coalesce(p_limit, 10), 0), 1000)
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    claimed AS (
        UPDATE scheduled_messages AS s
        SET claimed_until = clock_timestamp() + interval '10 minutes'
        FROM due
        WHERE s.id = due.id
        RETURNING s.*
    )

    SELECT c.* FROM claimed AS c ORDER BY c.scheduled_for, c.id;
END;
$$;
REVOKE ALL ON FUNCTION claim_due_messages(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION claim_due_messages(integer) IS
'Takes messages that are due for ten minutes, earliest first, and returns them; nobody else gets them meanwhile.';
