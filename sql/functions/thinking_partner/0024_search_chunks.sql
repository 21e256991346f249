-- depends: 0023_match_chunks
-- Over the caller's documents, by the scope rule of memories: those without a project, and those of the project.
CREATE FUNCTION search_chunks(
    query_embedding vector(1536),
    match_project_id uuid DEFAULT NULL,
    match_count integer DEFAULT 10
)
RETURNS TABLE (
    id uuid,
    document_id uuid,
    filename text,
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
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 10), 1), 200);
    c_user CONSTANT uuid := current_user_id();
    c_exact CONSTANT bigint := platform.exact_search_limit('chunks');
    v_settings text[];
    v_ids uuid[] := '{}'::uuid[];
BEGIN
    PERFORM check_query_embedding(query_embedding);
    IF c_user IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'search_chunks() searches the documents of its caller, who is no user',
            HINT = 'Call it with a user''s token; services use match_chunks().',
            CONSTRAINT = 'chunks_search_user_check',
            TABLE = 'chunks',
            SCHEMA = current_schema();
    END IF;

    IF c_exact < (
        SELECT count(*) FROM (SELECT 1 FROM chunks AS c WHERE c.user_id = c_user LIMIT c_exact + 1) AS counted
    ) THEN
        v_settings := platform.exchange_hnsw_settings(ARRAY['strict_order', '400']);
        v_ids := ARRAY(
            SELECT c.id
            FROM chunks AS c
            INNER JOIN documents AS d ON c.document_id = d.id
            WHERE
                c.user_id = c_user
                AND c.embedding IS NOT NULL
                AND (d.project_id IS NULL OR d.project_id = match_project_id)
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
                FROM documents AS d
                INNER JOIN chunks AS c ON d.id = c.document_id
                WHERE
                    d.user_id = c_user
                    AND (d.project_id IS NULL OR d.project_id = match_project_id)
                    AND c.embedding IS NOT NULL
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
        d.filename,
        c.content,
        c.chunk_index,
        c.page_number,
        c.metadata,
        1 - (c.embedding <=> query_embedding)
    FROM unnest(v_ids) AS v (id)
    INNER JOIN chunks AS c ON v.id = c.id
    INNER JOIN documents AS d ON c.document_id = d.id
    -- Not the order of the index: it rounds differently, and knows none among equals.
    ORDER BY c.embedding <=> query_embedding ASC, c.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION search_chunks(vector, uuid, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_chunks(vector, uuid, integer) IS
'The match_count (1 to 200) chunks most similar to the query in the caller''s documents, those without a project and '
'those of match_project_id, best first.';
