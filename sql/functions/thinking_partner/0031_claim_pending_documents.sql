-- depends: 0030_documents_triggers
-- Rows that another worker is just taking are passed over; what a worker took and did not finish in ten minutes is
-- offered again.
CREATE FUNCTION claim_pending_documents(p_limit integer DEFAULT 10)
RETURNS SETOF documents
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT d.id
        FROM documents AS d
        WHERE
            d.processing_status IN ('pending', 'processing')
            AND (d.processing_status = 'pending' OR d.claimed_until < now())
        ORDER BY d.created_at, d.id
        LIMIT least(greatest(coalesce(p_limit, 10), 0), 1000)
        FOR NO KEY UPDATE SKIP LOCKED
    ),

    claimed AS (
        UPDATE documents AS d
        SET processing_status = 'processing', claimed_until = clock_timestamp() + interval '10 minutes'
        FROM due
        WHERE d.id = due.id
        RETURNING d.*
    )

    SELECT c.* FROM claimed AS c ORDER BY c.created_at, c.id;
END;
$$;
REVOKE ALL ON FUNCTION claim_pending_documents(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION claim_pending_documents(integer) IS
'Takes pending documents (and those whose worker has not finished in ten minutes) to processing, oldest first, and '
'returns them.';
