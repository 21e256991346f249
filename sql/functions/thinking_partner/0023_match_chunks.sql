-- depends: 0022_search_memories
-- In one document; as search_memories() does it, but in the order of the index.
CREATE FUNCTION match_chunks(
    query_embedding vector(1536),
    match_document_id uuid,
    match_count integer DEFAULT 5,
    similarity_threshold double precision DEFAULT 0.5
)
RETURNS TABLE (
    id uuid,
    content text,
    chunk_index integer,
    page_number integer,
    metadata jsonb,
    similarity double precision
)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 5), 1), 200);
    c_threshold CONSTANT double precision := coalesce(similarity_threshold, 0.5);
    c_exact CONSTANT bigint := platform.exact_search_limit('chunks');
    v_settings text[];
    v_row record;
    v_ids uuid[] := '{}'::uuid[];
BEGIN
    PERFORM check_query_embedding(query_embedding);
    -- With the caller's rights: another's document is like a missing one.
    IF NOT EXISTS (SELECT 1 FROM documents AS d WHERE d.id = match_document_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no document %s', match_document_id),
            HINT = 'Give the id of a document of your own.',
            CONSTRAINT = 'chunks_document_id_fkey',
            TABLE = 'chunks',
            SCHEMA = current_schema();
    END IF;

    IF c_exact < (
        SELECT count(*)
        FROM (SELECT 1 FROM chunks AS c WHERE c.document_id = match_document_id LIMIT c_exact + 1) AS counted
    ) THEN
        v_settings := platform.exchange_hnsw_settings(ARRAY['strict_order', '400']);
        FOR v_row IN
            SELECT
                c.id,
                1 - (c.embedding <=> query_embedding) AS similarity
            FROM chunks AS c
            WHERE c.document_id = match_document_id AND c.embedding IS NOT NULL
            ORDER BY c.embedding <=> query_embedding
            LIMIT c_count
        LOOP
            EXIT WHEN v_row.similarity < c_threshold;
            v_ids := v_ids || v_row.id;
        END LOOP;
        PERFORM platform.exchange_hnsw_settings(v_settings);
    END IF;

    IF cardinality(v_ids) < c_count THEN
        v_ids := ARRAY(
            WITH compared AS MATERIALIZED (
                SELECT
                    c.id,
                    1 - (c.embedding <=> query_embedding) AS similarity
                FROM chunks AS c
                WHERE c.document_id = match_document_id AND c.embedding IS NOT NULL
            )

            SELECT c.id
            FROM compared AS c
            WHERE c.similarity >= c_threshold
            ORDER BY c.similarity DESC, c.id ASC
            LIMIT c_count
        );
    END IF;

    RETURN QUERY
    SELECT
        c.id,
        c.content,
        c.chunk_index,
        c.page_number,
        c.metadata,
        1 - (c.embedding <=> query_embedding)
    FROM unnest(v_ids) AS v (id)
    INNER JOIN chunks AS c ON v.id = c.id
    -- Not the order of the index: it rounds differently, and knows none among equals.
    ORDER BY c.embedding <=> query_embedding ASC, c.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION match_chunks(
    vector, uuid, integer, double precision
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION match_chunks(vector, uuid, integer, double precision) IS
'The chunks of a document of the caller whose similarity is at least similarity_threshold, the match_count (1 to 200) '
'most similar, best first.';
