-- depends: 0016_refuse_change
-- One state machine. Arguments: table, name of the rule, column, first state, then every allowed step as "from>to".
CREATE FUNCTION guard_state()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_table CONSTANT text := tg_argv[0];
    c_column CONSTANT text := tg_argv[2];
    c_first CONSTANT text := tg_argv[3];
    c_steps CONSTANT text[] := tg_argv[4:];
    v_to CONSTANT text := to_jsonb(new) ->> c_column;
    v_from text;
    v_allowed text;
BEGIN
    IF tg_op = 'INSERT' THEN
        IF v_to = c_first OR platform.is_service() THEN
            RETURN new;
        END IF;
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = format('a new row of %s starts as "%s", not as "%s"', c_table, c_first, v_to),
            HINT = format('Insert it with %s = ''%s''; only service_role inserts later states.', c_column, c_first),
            CONSTRAINT = tg_argv[1],
            TABLE = c_table,
            SCHEMA = tg_table_schema;
    END IF;

    v_from := to_jsonb(old) ->> c_column;
    IF v_from IS NOT DISTINCT FROM v_to OR concat(v_from, '>', v_to) = ANY (c_steps) THEN
        RETURN new;
    END IF;
    v_allowed := (
        SELECT string_agg(split_part(s.step, '>', 2), ', ')
        FROM unnest(c_steps) AS s (step)
        WHERE split_part(s.step, '>', 1) = v_from
    );
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = format('%s of %s cannot go from "%s" to "%s"', c_column, c_table, v_from, v_to),
        HINT = CASE
            WHEN v_allowed IS NULL THEN format('"%s" is a final state.', v_from)
            ELSE format('From "%s" it may become: %s.', v_from, v_allowed)
        END,
        CONSTRAINT = tg_argv[1],
        TABLE = c_table,
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION guard_state() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION guard_state() IS 'Trigger: lets a state column take only the steps of its state machine.';
