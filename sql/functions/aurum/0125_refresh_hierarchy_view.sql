-- depends: 0124_my_hierarchy
-- A definer function: only the owner can refresh. Readers are not held up; of two refreshes one waits.
CREATE FUNCTION refresh_hierarchy_view()
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    -- A dump may be restored without its rows: nobody reads it then, and nothing but a plain refresh fills it.
    IF (SELECT c.relispopulated FROM pg_catalog.pg_class AS c WHERE c.oid = 'hierarchy_view'::regclass) THEN
        REFRESH MATERIALIZED VIEW CONCURRENTLY hierarchy_view;
    ELSE
        REFRESH MATERIALIZED VIEW hierarchy_view;
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION refresh_hierarchy_view() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_hierarchy_view() IS 'Brings hierarchy_view up to date while it is read. A job.';
