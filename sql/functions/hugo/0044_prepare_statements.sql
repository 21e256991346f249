-- depends: 0043_get_user_context
-- A prepared statement is analysed again under whatever search_path the session has by then, so each calls one
-- function by its full name. A statement of the same name, of this instance or another, is replaced.
CREATE FUNCTION prepare_statements()
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN
        SELECT s.name
        FROM pg_catalog.pg_prepared_statements AS s
        WHERE s.name IN ('get_chat_context', 'search_knowledge')
    LOOP
        EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
    EXECUTE format(
        'PREPARE get_chat_context (text, uuid) AS SELECT * FROM %I.get_chat_context($1, $2)', current_schema()
    );
    EXECUTE format(
        'PREPARE search_knowledge (text, text, int) AS SELECT * FROM %I.search_knowledge($1, $2, $3)', current_schema()
    );
END;
$$;
REVOKE ALL ON FUNCTION prepare_statements() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION prepare_statements() IS
'Prepares get_chat_context(text, uuid) and search_knowledge(text, text, int) for this session; may be called again.';
