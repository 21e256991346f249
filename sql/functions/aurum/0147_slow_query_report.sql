-- depends: 0146_slow_queries
-- pg_stat_statements is looked for where its extension says that it is: anything of that name elsewhere may be
-- anybody's.
CREATE FUNCTION slow_query_report(p_limit integer DEFAULT 20)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_schema name;
    v_reported integer;
BEGIN
    SELECT n.nspname INTO v_schema
    FROM pg_catalog.pg_extension AS e
    INNER JOIN pg_catalog.pg_namespace AS n ON e.extnamespace = n.oid
    WHERE e.extname = 'pg_stat_statements';
    IF v_schema IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format(
        'INSERT INTO slow_queries (query, calls, mean_exec_ms, total_exec_ms, rows) '
        'SELECT left(s.query, 10000), s.calls, s.mean_exec_time, s.total_exec_time, s.rows '
        'FROM %I.pg_stat_statements AS s '
        'WHERE s.query IS NOT NULL '
        'AND s.dbid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = current_database()) '
        'ORDER BY s.total_exec_time DESC LIMIT $1',
        v_schema
    )
    USING greatest(coalesce(p_limit, 20), 0);
    GET DIAGNOSTICS v_reported = ROW_COUNT;
    RETURN v_reported;
END;
$$;
REVOKE ALL ON FUNCTION slow_query_report(integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION slow_query_report(integer) IS
'Writes the statements of this database that took most time into slow_queries; how many, 0 without '
'pg_stat_statements. A job.';
