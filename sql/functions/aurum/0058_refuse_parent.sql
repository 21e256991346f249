-- depends: 0057_tasks_project_id_idx
-- What the triggers that follow say of a parent that is missing or another user's, in the words of a foreign key.
CREATE FUNCTION refuse_parent(p_constraint text, p_table text, p_parent text, p_schema text)
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'foreign_key_violation',
        MESSAGE = format(
            'insert or update on table "%s" violates foreign key constraint "%s"', p_table, p_constraint
        ),
        DETAIL = format('Key is not present in table "%s".', p_parent),
        CONSTRAINT = p_constraint,
        TABLE = p_table,
        SCHEMA = p_schema;
END;
$$;
REVOKE ALL ON FUNCTION refuse_parent(text, text, text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_parent(text, text, text, text) IS 'Refuses a parent that is missing or another user''s.';
