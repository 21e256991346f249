-- depends: 0040_interventions_triggers
-- Deliberately at most once: what is claimed counts as delivered, also when the worker dies with it. Two nudges are
-- worse than none. Rows that another worker holds are passed over.
CREATE FUNCTION claim_due_interventions(p_limit integer DEFAULT 100)
RETURNS SETOF interventions
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN QUERY
    WITH due AS (
        SELECT i.id
        FROM interventions AS i
        INNER JOIN users AS u ON i.user_id = u.id
        WHERE i.status = 'scheduled' AND i.scheduled_for <= now() AND u.is_active AND u.deleted_at IS NULL
        ORDER BY i.scheduled_for, i.id
        LIMIT greatest(coalesce(p_limit, 100), 0)
        FOR NO KEY UPDATE OF i SKIP LOCKED
    ),

    claimed AS (
        UPDATE interventions AS i
        SET status = 'delivered'
        FROM due AS d
        WHERE i.id = d.id
        RETURNING i.*
    )

    SELECT c.* FROM claimed AS c ORDER BY c.scheduled_for, c.id;
END;
$$;
REVOKE ALL ON FUNCTION claim_due_interventions(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION claim_due_interventions(integer) IS
'Marks interventions that are due as delivered, earliest first, and returns them; never the same one twice.';
