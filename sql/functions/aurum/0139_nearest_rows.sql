-- depends: 0138_embedding_coverage
-- Somebody's rows of one kind that are nearest to a query; what all searches share. Up to thousands of rows that may be
-- found every one is compared; beyond, the vector index is followed, and where it comes up short all are compared after
-- all. Of few among many the index finds enough, but not the best. The planner does not know what reading a long vector
-- costs and would sort the table, hence enable_seqscan and enable_sort; their penalty would set off a compilation,
-- hence jit. No piece of SQL is a parameter: users may call this.
CREATE FUNCTION nearest_rows(
    p_entity text,
    p_query vector,
    p_user_id uuid,
    p_count integer,
    p_since timestamptz DEFAULT NULL,
    p_open_only boolean DEFAULT FALSE
)
RETURNS TABLE (id uuid, similarity double precision)
LANGUAGE plpgsql
STABLE
ROWS 10
SET search_path FROM CURRENT
SET enable_seqscan = off
SET enable_sort = off
SET jit = off
AS $$
DECLARE
    c_source CONSTANT record := embedding_source(p_entity);
    c_rows CONSTANT text := format(
        'SELECT r.id, r.%1$I AS embedding FROM %2$I AS r WHERE r.user_id = $2 AND r.%1$I IS NOT NULL%3$s%4$s%5$s',
        c_source.columns[1],
        c_source.source_table,
        CASE
            WHEN p_entity = 'task' THEN ' AND NOT r.archived AND r.description IS NOT NULL AND r.description <> '''''
            WHEN p_entity IN ('journal_entry', 'project') THEN ' AND NOT r.archived'
        END,
        CASE WHEN p_open_only AND p_entity = 'task' THEN ' AND NOT r.completed' END,
        CASE WHEN p_since IS NOT NULL THEN ' AND r.created_at >= $4' END
    );
    c_exact CONSTANT bigint := platform.exact_search_limit(to_regclass(quote_ident(c_source.source_table)));
    v_settings text[];
    v_many boolean;
    v_ids uuid[] := '{}'::uuid[];
    v_similarities double precision[] := '{}'::double precision[];
BEGIN
    EXECUTE format('SELECT count(*) > $1 FROM (SELECT 1 FROM (%s) AS n LIMIT $1 + 1) AS counted', c_rows)
    INTO v_many
    USING c_exact, p_user_id, NULL::integer, p_since;

    IF v_many THEN
        v_settings := platform.exchange_hnsw_settings(ARRAY['strict_order', '400']);
        EXECUTE format(
            'SELECT array_agg(f.id), array_agg(f.similarity) FROM ('
            'SELECT n.id, 1 - (n.embedding <=> $1) AS similarity FROM (%s) AS n ORDER BY n.embedding <=> $1 LIMIT $3'
            ') AS f',
            c_rows
        )
        INTO v_ids, v_similarities
        USING p_query, p_user_id, p_count, p_since;
        PERFORM platform.exchange_hnsw_settings(v_settings);
    END IF;
    IF coalesce(cardinality(v_ids), 0) < p_count THEN
        EXECUTE format(
            'WITH compared AS MATERIALIZED (SELECT n.id, 1 - (n.embedding <=> $1) AS similarity FROM (%s) AS n) '
            'SELECT array_agg(f.id), array_agg(f.similarity) FROM ('
            'SELECT c.id, c.similarity FROM compared AS c ORDER BY c.similarity DESC, c.id LIMIT $3'
            ') AS f',
            c_rows
        )
        INTO v_ids, v_similarities
        USING p_query, p_user_id, p_count, p_since;
    END IF;
    RETURN QUERY
    SELECT
        f.id,
        f.similarity
    FROM unnest(v_ids, v_similarities) AS f (id, similarity);
END;
$$;
REVOKE ALL ON FUNCTION nearest_rows(
    text, vector, uuid, integer, timestamptz, boolean
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION nearest_rows(text, vector, uuid, integer, timestamptz, boolean) IS
'The rows of a user and of one kind that are most similar to a query, with the caller''s rights. Archived ones and '
'those without an embedding are left out.';

CREATE FUNCTION check_query_embedding(p_query vector)
RETURNS void
LANGUAGE plpgsql
IMMUTABLE
SET search_path FROM CURRENT
AS $$
BEGIN
    IF p_query IS NULL OR vector_dims(p_query) <> 1536 OR vector_norm(p_query) NOT BETWEEN 1e-15 AND 1e15 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = CASE
                WHEN p_query IS NULL THEN 'a search needs a query embedding'
                WHEN vector_dims(p_query) <> 1536
                    THEN format('the query embedding has %s dimensions, and 1536 are needed', vector_dims(p_query))
                WHEN vector_norm(p_query) = 0 THEN 'the query embedding is zero, which is similar to nothing'
                ELSE format('the query embedding has length %s, too small or large to compare', vector_norm(p_query))
            END,
            HINT = 'Send what the embedding model made of the query.';
    END IF;
END;
$$;
REVOKE ALL ON FUNCTION check_query_embedding(vector) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_query_embedding(vector) IS
'Refuses (22023) a query embedding that is null, not of 1536 dimensions, zero or of a length beyond single precision.';
