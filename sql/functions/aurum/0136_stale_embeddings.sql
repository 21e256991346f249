-- depends: 0135_embedding_source
-- For workers: each gets rows that no other has, for ten minutes.
CREATE FUNCTION stale_embeddings(p_entity text, p_limit integer DEFAULT 100)
RETURNS TABLE (entity_id uuid, content_hash text, texts text[])
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_source CONSTANT record := embedding_source(p_entity);
BEGIN
    IF p_limit IS NULL OR p_limit NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('%s rows cannot be claimed at once', coalesce(p_limit::text, 'null')),
            HINT = 'Give a number from 1 to 1000.';
    END IF;
    RETURN QUERY EXECUTE format(
        'WITH waiting AS MATERIALIZED ('
        '    SELECT r.id'
        '    FROM %1$I AS r'
        '    WHERE'
        '        r.embedding_hash IS NULL'
        '        AND (r.embedding_claimed_until IS NULL OR r.embedding_claimed_until <= now())'
        '    ORDER BY r.created_at'
        '    LIMIT $1'
        '    FOR UPDATE SKIP LOCKED'
        ') '
        'UPDATE %1$I AS r'
        ' SET embedding_claimed_until = now() + interval ''10 minutes'''
        ' FROM waiting AS w'
        ' WHERE r.id = w.id'
        ' RETURNING r.id, embedding_text_hash(%2$s), %2$s',
        c_source.source_table, c_source.texts
    )
    USING p_limit;
END;
$$;
REVOKE ALL ON FUNCTION stale_embeddings(text, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stale_embeddings(text, integer) IS
'Claims for ten minutes rows (journal_entry, task, project, daily_reflection or conversation) that have no embedding '
'of their present text: id, hash and the texts, null where there is none, in the order of set_embedding().';
