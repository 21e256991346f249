-- depends: 0056_roll_up_character_analytics
-- While it is read. A definer function: only its owner refreshes a materialized view.
CREATE FUNCTION refresh_character_stats()
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY character_stats;
END;
$$;
REVOKE ALL ON FUNCTION refresh_character_stats() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_character_stats() IS 'Brings character_stats up to date. A job.';
