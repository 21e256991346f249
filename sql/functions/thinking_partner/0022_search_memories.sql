-- depends: 0021_search_helpers
-- Relevance is no distance, so no index is in its order. Up to thousands of memories every one is compared. Beyond, the
-- vector index gives them by similarity, and reading stops where no later one can be among the best: its relevance is
-- at most 0.7 · similarity + 0.3. Where the index does not get there soon, or comes up short, all are compared after
-- all: the result is complete in any case. The planner does not know what reading a long vector costs and would sort
-- the table, hence enable_seqscan and enable_sort; their penalty would set off a compilation, hence jit.
CREATE FUNCTION search_memories(
    query_embedding vector(1536),
    match_user_id uuid,
    match_project_id uuid DEFAULT NULL,
    match_count integer DEFAULT 20,
    similarity_threshold double precision DEFAULT 0.5
)
RETURNS TABLE (
    id uuid,
    content text,
    tags text[],
    entities jsonb,
    importance double precision,
    source_type text,
    project_id uuid,
    created_at timestamptz,
    similarity double precision,
    relevance double precision
)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 20), 1), 200);
    c_threshold CONSTANT double precision := coalesce(similarity_threshold, 0.5);
    c_give_up CONSTANT integer := 1000;
    c_exact CONSTANT bigint := platform.exact_search_limit('memories');
    v_settings text[];
    v_row record;
    v_ids uuid[] := '{}'::uuid[];
    v_relevances double precision[] := '{}'::double precision[];
    v_read integer := 0;
    v_complete boolean := FALSE;
BEGIN
    PERFORM check_query_embedding(query_embedding);
    IF match_user_id IS DISTINCT FROM current_user_id() AND NOT platform.is_service() THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'a user searches their own memories only',
            HINT = 'Give your own id as match_user_id.',
            CONSTRAINT = 'memories_search_user_check',
            TABLE = 'memories',
            SCHEMA = current_schema();
    END IF;

    IF c_exact < (
        SELECT count(*)
        FROM (
            SELECT 1
            FROM memories AS m
            WHERE m.user_id = match_user_id AND m.is_active AND m.embedding IS NOT NULL
            LIMIT c_exact + 1
        ) AS counted
    ) THEN
        v_settings := platform.exchange_hnsw_settings(ARRAY['strict_order', '400']);
        FOR v_row IN
            SELECT
                m.id,
                m.importance,
                1 - (m.embedding <=> query_embedding) AS similarity
            FROM memories AS m
            WHERE
                m.user_id = match_user_id
                AND m.is_active
                AND m.embedding IS NOT NULL
                AND (m.project_id IS NULL OR m.project_id = match_project_id)
            ORDER BY m.embedding <=> query_embedding
        LOOP
            IF v_row.similarity < c_threshold THEN
                v_complete := TRUE;
                EXIT;
            END IF;
            v_read := v_read + 1;
            v_ids := v_ids || v_row.id;
            v_relevances := v_relevances || 0.7 * v_row.similarity + 0.3 * v_row.importance;
            IF v_read >= c_count AND v_read % 20 = 0 THEN
                v_complete := 0.7 * v_row.similarity + 0.3 <= (
                    SELECT r.relevance
                    FROM unnest(v_relevances) AS r (relevance)
                    ORDER BY r.relevance DESC
                    OFFSET c_count - 1
                    LIMIT 1
                );
                EXIT WHEN v_complete OR v_read >= c_give_up;
            END IF;
        END LOOP;
        PERFORM platform.exchange_hnsw_settings(v_settings);
    END IF;

    IF NOT v_complete OR v_read < c_count THEN
        v_ids := ARRAY(
            WITH compared AS MATERIALIZED (
                SELECT
                    m.id,
                    m.importance,
                    1 - (m.embedding <=> query_embedding) AS similarity
                FROM memories AS m
                WHERE
                    m.user_id = match_user_id
                    AND m.is_active
                    AND m.embedding IS NOT NULL
                    AND (m.project_id IS NULL OR m.project_id = match_project_id)
            )

            SELECT c.id
            FROM compared AS c
            WHERE c.similarity >= c_threshold
            ORDER BY 0.7 * c.similarity + 0.3 * c.importance DESC, c.id ASC
            LIMIT c_count
        );
    ELSE
        v_ids := ARRAY(
            SELECT r.id
            FROM unnest(v_ids, v_relevances) AS r (id, relevance)
            ORDER BY r.relevance DESC, r.id ASC
            LIMIT c_count
        );
    END IF;

    RETURN QUERY
    SELECT
        m.id,
        m.content,
        m.tags,
        m.entities,
        m.importance,
        m.source_type,
        m.project_id,
        m.created_at,
        s.similarity,
        0.7 * s.similarity + 0.3 * m.importance
    FROM unnest(v_ids) WITH ORDINALITY AS v (id, place)
    INNER JOIN memories AS m ON v.id = m.id
    CROSS JOIN LATERAL (SELECT 1 - (m.embedding <=> query_embedding) AS similarity OFFSET 0) AS s
    ORDER BY v.place;
END;
$$;
REVOKE ALL ON FUNCTION search_memories(
    vector, uuid, uuid, integer, double precision
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_memories(vector, uuid, uuid, integer, double precision) IS
'The caller''s active memories, those without a project and those of match_project_id, whose similarity is at least '
'similarity_threshold: the match_count (1 to 200) of highest relevance (0.7 · similarity + 0.3 · importance), best '
'first.';
