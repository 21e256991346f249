-- depends: 0015_maintain_columns
-- The trigger's WHEN clause says which columns may not change and sees that they did; these functions refuse.
-- Arguments: the table and the name of the rule (literals, since a distributed table has other names), the columns.
CREATE FUNCTION refuse_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = format('%s of %s cannot change', array_to_string(tg_argv[2:], ', '), tg_argv[0]),
        HINT = 'Send the present value, or leave the column out.',
        CONSTRAINT = tg_argv[1],
        TABLE = tg_argv[0],
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION refuse_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_change() IS 'Trigger: refuses the change of columns that never change (23514).';

CREATE FUNCTION refuse_change_by_user()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF platform.is_service() THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = format('%s of %s can be changed by service_role only', array_to_string(tg_argv[2:], ', '), tg_argv[0]),
        HINT = 'Send the present value, or leave the column out.',
        CONSTRAINT = tg_argv[1],
        TABLE = tg_argv[0],
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION refuse_change_by_user() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_change_by_user() IS
'Trigger: refuses the change of columns that only service_role changes (42501).';
