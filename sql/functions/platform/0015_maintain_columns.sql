-- depends: 0014_update_updated_at_column
-- Counters, states and times that the database keeps are silently kept true, so that clients which send whole rows
-- back need not leave them out. First argument: columns nobody sets, with their first values. Second argument:
-- columns that service_role may state when it inserts (imports), with the values others get; "now" is the
-- transaction's time.
CREATE FUNCTION maintain_columns()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_always jsonb;
    v_on_import jsonb;
BEGIN
    IF platform.is_maintainer(tg_relid) THEN
        RETURN new;
    END IF;
    v_always := tg_argv[0]::jsonb;
    v_on_import := tg_argv[1]::jsonb;
    IF tg_op = 'INSERT' THEN
        RETURN jsonb_populate_record(
            new, CASE WHEN platform.is_service() THEN v_always ELSE v_always || v_on_import END
        );
    END IF;
    RETURN jsonb_populate_record(
        new,
        (SELECT jsonb_object_agg(k.key, to_jsonb(old) -> k.key) FROM jsonb_object_keys(v_always || v_on_import) AS k (key))
    );
END;
$$;
REVOKE ALL ON FUNCTION maintain_columns() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION maintain_columns() IS
'Trigger: keeps columns that the database maintains, whatever a client sends for them.';
