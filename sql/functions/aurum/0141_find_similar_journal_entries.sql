-- depends: 0140_rag_search
-- One kind of rag_search().
CREATE FUNCTION find_similar_journal_entries(
    query_embedding vector(1536), match_count integer DEFAULT 5, user_id_filter uuid DEFAULT NULL
)
RETURNS TABLE (
    id uuid,
    title text,
    content text,
    mood text,
    created_at timestamptz,
    similarity double precision
)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user_id CONSTANT uuid := acting_user(user_id_filter);
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 5), 1), 200);
BEGIN
    PERFORM check_query_embedding(query_embedding);
    RETURN QUERY
    SELECT
        j.id,
        j.title,
        j.content,
        j.mood,
        j.created_at,
        n.similarity
    FROM nearest_rows('journal_entry', query_embedding, c_user_id, c_count) AS n
    INNER JOIN journal_entries AS j ON n.id = j.id
    ORDER BY n.similarity DESC, j.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION find_similar_journal_entries(
    vector, integer, uuid
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION find_similar_journal_entries(vector, integer, uuid) IS
'The caller''s journal entries (a service names the user) most similar to a query, match_count (1 to 200), best first.';
