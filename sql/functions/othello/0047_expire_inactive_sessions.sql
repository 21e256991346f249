-- depends: 0046_sessions
-- A session that is just being used is passed over: it is not idle, and nobody waits for the job.
CREATE FUNCTION expire_inactive_sessions(p_idle interval DEFAULT '30 days', p_max_age interval DEFAULT '90 days')
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ended integer;
BEGIN
    UPDATE session_logs AS s
    SET is_active = FALSE, logout_at = clock_timestamp()
    WHERE s.id IN (
        SELECT o.id
        FROM session_logs AS o
        WHERE o.is_active = TRUE AND (o.last_activity_at < now() - p_idle OR o.rotated_at < now() - p_max_age)
        FOR NO KEY UPDATE SKIP LOCKED
    );
    GET DIAGNOSTICS v_ended = ROW_COUNT;
    RETURN v_ended;
END;
$$;
REVOKE ALL ON FUNCTION expire_inactive_sessions(interval, interval) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION expire_inactive_sessions(interval, interval) IS
'Ends sessions without activity for p_idle and those whose token was not rotated for p_max_age; how many. A job.';
