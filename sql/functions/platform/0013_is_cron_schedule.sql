-- depends: 0012_is_jsonb_unit_object
-- Five fields: minute, hour, day of month, month, day of week; each a list of *, a number or a range. A step goes with
-- * or a range: what 5/10 means, no two crons agree. A day that no month has would never come, and is refused.
CREATE FUNCTION is_cron_schedule(p_value text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_low CONSTANT integer[] := ARRAY[0, 0, 1, 1, 0];
    c_high CONSTANT integer[] := ARRAY[59, 23, 31, 12, 7];
    c_days CONSTANT integer[] := ARRAY[31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    v_fields CONSTANT text[] := regexp_split_to_array(p_value, ' +');
    v_part text;
    v_match text[];
    v_from integer;
    v_to integer;
    v_step integer;
    v_first_day integer := 31;
    v_most_days integer := 0;
BEGIN
    IF cardinality(v_fields) <> 5 OR '' = ANY(v_fields) THEN
        RETURN FALSE;
    END IF;
    FOR i IN 1..5 LOOP
        FOREACH v_part IN ARRAY string_to_array(v_fields[i], ',') LOOP
            v_match := regexp_match(v_part, '^(?:([0-9]{1,2})|(?:[*]|([0-9]{1,2})-([0-9]{1,2}))(?:/([0-9]{1,2}))?)$');
            IF v_match IS NULL THEN
                RETURN FALSE;
            END IF;
            v_from := coalesce(v_match[1], v_match[2])::integer;
            v_to := coalesce(v_match[1], v_match[3])::integer;
            v_from := coalesce(v_from, c_low[i]);
            v_to := coalesce(v_to, c_high[i]);
            v_step := coalesce(v_match[4]::integer, 1);
            IF v_from < c_low[i] OR v_to > c_high[i] OR v_from > v_to OR v_step = 0 THEN
                RETURN FALSE;
            END IF;
            CASE i
                WHEN 3 THEN
                    v_first_day := least(v_first_day, v_from);
                WHEN 4 THEN
                    FOR v_month IN v_from..v_to BY v_step LOOP
                        v_most_days := greatest(v_most_days, c_days[v_month]);
                    END LOOP;
                ELSE
                    NULL;
            END CASE;
        END LOOP;
    END LOOP;
    -- Where days of the month and of the week are both given, either will do.
    RETURN v_first_day <= v_most_days OR v_fields[5] NOT LIKE '*%';
END;
$$;
REVOKE ALL ON FUNCTION is_cron_schedule(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_cron_schedule(text) IS
'Whether a text is a cron schedule of five numeric fields that pg_cron and crontab understand alike.';
