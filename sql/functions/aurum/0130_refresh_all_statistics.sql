-- depends: 0129_refresh_user_statistics
-- All users in as few statements as memory allows. Two days, since somewhere it is still yesterday.
CREATE FUNCTION refresh_all_statistics(p_stat_date date DEFAULT current_date)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_batch CONSTANT integer := 1000;
    v_ids uuid[];
    v_after uuid := '00000000-0000-0000-0000-000000000000'::uuid;
    v_written integer := 0;
BEGIN
    LOOP
        v_ids := ARRAY(
            SELECT s.user_id
            FROM user_stats AS s
            WHERE s.user_id > v_after
            ORDER BY s.user_id
            LIMIT c_batch
        );
        EXIT WHEN cardinality(v_ids) = 0;
        v_written := v_written
            + compute_statistics(p_stat_date - 1, 'daily', v_ids)
            + compute_statistics(p_stat_date, 'daily', v_ids)
            + compute_statistics(p_stat_date - 1, 'weekly', v_ids)
            + compute_statistics(p_stat_date - 1, 'monthly', v_ids);
        v_after := v_ids[cardinality(v_ids)];
    END LOOP;
    RETURN v_written;
END;
$$;
REVOKE ALL ON FUNCTION refresh_all_statistics(date) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_all_statistics(date) IS
'Computes for all users the day before a date, the day so far, and the week and month of the day before; how many '
'rows. A job.';
