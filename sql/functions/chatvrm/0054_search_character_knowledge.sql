-- depends: 0053_check_query_embedding
-- Up to thousands of chunks every one is compared. Beyond, the vector index gives them in order; where it comes up
-- short, all are compared after all: the result is complete in any case. The planner does not know what reading a long
-- vector costs and would sort the table, hence enable_seqscan and enable_sort; their penalty would set off a
-- compilation, hence jit. Runs with the caller's rights: another's character is like a missing one.
CREATE FUNCTION search_character_knowledge(
    p_character_id uuid,
    query_embedding vector(1536),
    match_count integer DEFAULT 5
)
RETURNS TABLE (
    id uuid,
    document_id uuid,
    knowledge_base_id uuid,
    filename varchar(255),
    content text,
    chunk_index integer,
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
    v_settings text[];
    v_owner uuid;
    v_documents uuid[];
    v_chunks bigint;
    v_ids uuid[] := '{}'::uuid[];
BEGIN
    PERFORM check_query_embedding(query_embedding);
    SELECT c.user_id INTO v_owner FROM characters AS c WHERE c.id = p_character_id;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no character %s', p_character_id),
            HINT = 'Give the id of a character of your own.',
            CONSTRAINT = 'characters_pkey',
            TABLE = 'characters',
            SCHEMA = current_schema();
    END IF;

    SELECT array_agg(d.id), sum(d.chunk_count)
    INTO v_documents, v_chunks
    FROM documents AS d
    WHERE
        d.status = 'completed'
        AND d.user_id = v_owner
        AND d.knowledge_base_id IN (
            SELECT kb.id FROM knowledge_bases AS kb WHERE kb.character_id = p_character_id
            UNION
            SELECT l.knowledge_base_id FROM character_knowledge_bases AS l WHERE l.character_id = p_character_id
        );

    IF v_chunks > platform.exact_search_limit('document_chunks') THEN
        v_settings := platform.exchange_hnsw_settings(ARRAY['strict_order', '400']);
        v_ids := ARRAY(
            SELECT c.id
            FROM document_chunks AS c
            WHERE c.document_id = ANY(v_documents) AND c.embedding IS NOT NULL
            ORDER BY c.embedding <=> query_embedding
            LIMIT c_count
        );
        PERFORM platform.exchange_hnsw_settings(v_settings);
    END IF;

    IF cardinality(v_ids) < c_count THEN
        v_ids := ARRAY(
            WITH compared AS MATERIALIZED (
                SELECT
                    c.id,
                    c.embedding <=> query_embedding AS distance
                FROM document_chunks AS c
                WHERE c.user_id = v_owner AND c.document_id = ANY(v_documents) AND c.embedding IS NOT NULL
            )

            SELECT c.id
            FROM compared AS c
            ORDER BY c.distance ASC, c.id ASC
            LIMIT c_count
        );
    END IF;

    RETURN QUERY
    SELECT
        c.id,
        c.document_id,
        d.knowledge_base_id,
        d.filename,
        c.content,
        c.chunk_index,
        c.metadata,
        1 - (c.embedding <=> query_embedding)
    FROM unnest(v_ids) AS v (id)
    INNER JOIN document_chunks AS c ON v.id = c.id
    INNER JOIN documents AS d ON c.document_id = d.id
    -- Not the order of the index: it rounds differently, and knows none among equals.
    ORDER BY c.embedding <=> query_embedding ASC, c.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION search_character_knowledge(
    uuid, vector, integer
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_character_knowledge(uuid, vector, integer) IS
'The match_count (1 to 200) chunks most similar to the query in completed documents of the knowledge bases of a '
'character of the caller, best first. Services ask for visitors.';
