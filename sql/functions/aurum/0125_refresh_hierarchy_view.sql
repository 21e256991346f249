-- depends: 0124_my_hierarchy
-- A definer function: only the owner can refresh. Readers are not held up; of two refreshes one waits.
CREATE FUNCTION refresh_hierarchy_view()
RETURNS void
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY hierarchy_view;
END;
$$;
REVOKE ALL ON FUNCTION refresh_hierarchy_view() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_hierarchy_view() IS 'Brings hierarchy_view up to date while it is read. A job.';
