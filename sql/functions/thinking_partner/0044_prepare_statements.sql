-- depends: 0043_email_delivery_log_triggers
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
        WHERE s.name IN ('search_memories', 'session_history', 'match_chunks')
    LOOP
        EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
    EXECUTE format(
        'PREPARE search_memories (vector, uuid, uuid) AS SELECT * FROM %I.search_memories($1, $2, $3)', current_schema()
    );
    EXECUTE format('PREPARE session_history (uuid) AS SELECT * FROM %I.get_session_messages($1)', current_schema());
    EXECUTE format(
        'PREPARE match_chunks (vector, uuid) AS SELECT * FROM %I.match_chunks($1, $2)', current_schema()
    );
END;
$$;
REVOKE ALL ON FUNCTION prepare_statements() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION prepare_statements() IS
'Prepares search_memories(vector, uuid, uuid), session_history(uuid) and match_chunks(vector, uuid) for this session; '
'may be called again.';
