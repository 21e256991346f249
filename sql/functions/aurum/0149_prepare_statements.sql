-- depends: 0148_monitoring
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
        WHERE s.name IN (
            'rag_search', 'find_similar_journal_entries', 'find_similar_tasks', 'search_conversation_memory'
        )
    LOOP
        EXECUTE format('DEALLOCATE %I', v_name);
    END LOOP;
    EXECUTE format('PREPARE rag_search (vector) AS SELECT * FROM %I.rag_search($1)', current_schema());
    EXECUTE format(
        'PREPARE find_similar_journal_entries (vector) AS SELECT * FROM %I.find_similar_journal_entries($1)',
        current_schema()
    );
    EXECUTE format(
        'PREPARE find_similar_tasks (vector) AS SELECT * FROM %I.find_similar_tasks($1)', current_schema()
    );
    EXECUTE format(
        'PREPARE search_conversation_memory (vector) AS SELECT * FROM %I.search_conversation_memory($1)',
        current_schema()
    );
END;
$$;
REVOKE ALL ON FUNCTION prepare_statements() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION prepare_statements() IS
'Prepares rag_search(vector), find_similar_journal_entries(vector), find_similar_tasks(vector) and '
'search_conversation_memory(vector) for this session; may be called again.';
