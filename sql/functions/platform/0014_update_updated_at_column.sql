-- depends: 0013_is_cron_schedule
-- Arguments: columns that do not count as a change of the row (counters, marks of access, derived columns).
CREATE FUNCTION update_updated_at_column()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_nargs > 0
        AND new IS DISTINCT FROM old
        AND to_jsonb(new) - tg_argv - 'updated_at' = to_jsonb(old) - tg_argv - 'updated_at'
    THEN
        new.updated_at := old.updated_at;
    ELSE
        new.updated_at := now();
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION update_updated_at_column() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION update_updated_at_column() IS
'Trigger: moves updated_at, unless nothing but the columns named as arguments has changed.';
