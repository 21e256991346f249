-- depends: 0035_work_tickets_triggers
-- As claim_pending_documents().
CREATE FUNCTION claim_tickets(p_limit integer DEFAULT 10)
RETURNS SETOF work_tickets
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT t.id
        FROM work_tickets AS t
        WHERE t.status IN ('pending', 'running') AND (t.status = 'pending' OR t.claimed_until < now())
        ORDER BY t.created_at, t.id
        LIMIT least(greatest(coalesce(p_limit, 10), 0), 1000)
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    claimed AS (
        UPDATE work_tickets AS t
        SET status = 'running', claimed_until = clock_timestamp() + interval '10 minutes'
        FROM due
        WHERE t.id = due.id
        RETURNING t.*
    )

    SELECT c.* FROM claimed AS c ORDER BY c.created_at, c.id;
END;
$$;
REVOKE ALL ON FUNCTION claim_tickets(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION claim_tickets(integer) IS
'Takes pending tickets (and those whose worker has not finished in ten minutes) to running, oldest first, and returns '
'them.';
