-- depends: 0012_is_jsonb_unit_object
-- Five fields: minute, hour, day of month, month, day of week; each a list of *, a number or a range, with a step.
CREATE FUNCTION is_cron_schedule(p_value text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE STRICT PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_low CONSTANT integer[] := ARRAY[0, 0, 1, 1, 0];
    c_high CONSTANT integer[] := ARRAY[59, 23, 31, 12, 7];
    v_fields CONSTANT text[] := regexp_split_to_array(p_value, ' +');
    v_part text;
    v_match text[];
    v_from integer;
    v_to integer;
BEGIN
    IF cardinality(v_fields) <> 5 THEN
        RETURN FALSE;
    END IF;
    FOR i IN 1..5 LOOP
        FOREACH v_part IN ARRAY string_to_array(v_fields[i], ',') LOOP
            v_match := regexp_match(v_part, '^(?:[*]|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?$');
            IF v_match IS NULL THEN
                RETURN FALSE;
            END IF;
            v_from := coalesce(v_match[1]::integer, c_low[i]);
            v_to := coalesce(v_match[2], v_match[1])::integer;
            v_to := coalesce(v_to, c_high[i]);
            IF v_from < c_low[i] OR v_to > c_high[i] OR v_from > v_to OR v_match[3]::integer = 0 THEN
                RETURN FALSE;
            END IF;
        END LOOP;
    END LOOP;
    RETURN v_fields <> ARRAY[]::text[] AND '' <> ALL (v_fields);
END;
$$;
REVOKE ALL ON FUNCTION is_cron_schedule(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_cron_schedule(text) IS
'Whether a text is a cron schedule of five numeric fields, as pg_cron and crontab both take it.';
