-- depends: 0056_roll_up_character_analytics
-- While it is read. A definer function: only its owner refreshes a materialized view.
CREATE FUNCTION refresh_character_stats()
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- A dump may be restored without its rows: nobody reads it then, and nothing but a plain refresh fills it.
    IF (SELECT c.relispopulated FROM pg_catalog.pg_class AS c WHERE c.oid = 'character_stats'::regclass) THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY character_stats;
    ELSE
        REFRESH MATERIALIZED VIEW character_stats;
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION refresh_character_stats() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_character_stats() IS 'Brings character_stats up to date. A job.';
