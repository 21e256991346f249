-- depends: 0128_compute_statistics
-- A definer function: users read the cache and write nothing in it.
CREATE FUNCTION refresh_user_statistics(
    p_user_id uuid DEFAULT NULL, p_stat_date date DEFAULT current_date, p_stat_type text DEFAULT 'daily'
)
RETURNS user_statistics_cache
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user_id CONSTANT uuid := acting_user(p_user_id);
    v_row user_statistics_cache;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM auth.users AS u WHERE u.id = c_user_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no user %s', c_user_id),
            HINT = 'Give the id of a user in auth.users.',
            CONSTRAINT = 'user_statistics_cache_user_id_fkey',
            TABLE = 'user_statistics_cache',
            SCHEMA = current_schema();
    END IF;
    PERFORM compute_statistics(p_stat_date, p_stat_type, ARRAY[c_user_id]);
    SELECT s.* INTO v_row
    FROM user_statistics_cache AS s
    WHERE
        s.user_id = c_user_id
        AND s.stat_type = p_stat_type
        AND s.stat_date = CASE p_stat_type
            WHEN 'daily' THEN p_stat_date
            WHEN 'weekly' THEN date_trunc('week', p_stat_date)::date
            ELSE date_trunc('month', p_stat_date)::date
        END;
    RETURN v_row;
END;
$$;
REVOKE ALL ON FUNCTION refresh_user_statistics(uuid, date, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_user_statistics(uuid, date, text) IS
'Computes and returns the caller''s statistics (a service names the user) for the day, week or month of a date.';
