-- depends: 0052_count_chunks
-- For the search by meaning.
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
