-- depends: 0136_stale_embeddings
-- The text may have changed while the model was at work: then this embedding is of something else.
CREATE FUNCTION set_embedding(
    p_entity text,
    p_entity_id uuid,
    p_content_hash text,
    p_embeddings vector[],
    p_model text DEFAULT 'text-embedding-3-small'
)
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_source CONSTANT record := embedding_source(p_entity);
    v_texts text[];
    v_columns text;
BEGIN
    EXECUTE format(
        'SELECT %s FROM %I AS r WHERE r.id = $1 FOR NO KEY UPDATE', c_source.texts, c_source.source_table
    )
    INTO v_texts
    USING p_entity_id;
    IF v_texts IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no %s %s', p_entity, p_entity_id),
            HINT = 'It may have been deleted since it was claimed.',
            CONSTRAINT = c_source.source_table || '_pkey',
            TABLE = c_source.source_table,
            SCHEMA = current_schema();
    ELSIF p_content_hash IS DISTINCT FROM embedding_text_hash(v_texts) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('the text of %s %s has changed since it was claimed', p_entity, p_entity_id),
            HINT = 'Leave it: stale_embeddings() offers it again.',
            CONSTRAINT = c_source.source_table || '_embedding_hash_check',
            TABLE = c_source.source_table,
            SCHEMA = current_schema();
    ELSIF cardinality(p_embeddings) IS DISTINCT FROM cardinality(v_texts)
        OR EXISTS (
            SELECT 1
            FROM unnest(v_texts, p_embeddings) AS e (text, embedding)
            WHERE (e.text IS NULL) <> (e.embedding IS NULL)
        )
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'there is one embedding for each text, and null where there is none',
            HINT = format('Send an array of %s in the order of the texts.', cardinality(v_texts));
    END IF;

    SELECT string_agg(format('%I = ($1)[%s]', c.name, c.n), ', ' ORDER BY c.n)
    INTO v_columns
    FROM unnest(c_source.columns) WITH ORDINALITY AS c (name, n);
    EXECUTE format(
        'UPDATE %I AS r SET %s, embedding_model = $2, embedding_updated_at = now(), embedding_hash = $3, '
        'embedding_claimed_until = NULL WHERE r.id = $4',
        c_source.source_table, v_columns
    )
    USING p_embeddings, p_model, p_content_hash, p_entity_id;
END;
$$;
REVOKE ALL ON FUNCTION set_embedding(
    text, uuid, text, vector[], text
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION set_embedding(text, uuid, text, vector[], text) IS
'Stores the embeddings of a row that stale_embeddings() offered, unless its text has changed since (23514).';
