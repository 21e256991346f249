-- depends: 0021_platform_grants
-- Settings of pgvector for a part of a search. A SET clause would do the same, but a function with one can be created
-- only in a session that has loaded the library, or by a superuser: an owner's restored dump would lack it. These two
-- names and no parameter: users may call this, and other settings say who they are.
CREATE FUNCTION exchange_hnsw_settings(p_values text[])
RETURNS text[]
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_before CONSTANT text[] := ARRAY[
        current_setting('hnsw.iterative_scan', TRUE), current_setting('hnsw.ef_search', TRUE)
    ];
BEGIN
    PERFORM set_config('hnsw.iterative_scan', p_values[1], TRUE);
    PERFORM set_config('hnsw.ef_search', p_values[2], TRUE);
    RETURN c_before;
END;
$$;
REVOKE ALL ON FUNCTION exchange_hnsw_settings(text[]) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION exchange_hnsw_settings(text[]) TO authenticated, service_role;
COMMENT ON FUNCTION exchange_hnsw_settings(text[]) IS
'Gives hnsw.iterative_scan and hnsw.ef_search these values until the end of the transaction, and returns those from '
'before: giving them back ends that. Null is the default.';
