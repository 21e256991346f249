-- depends: 0142_find_similar_tasks
-- Of what has not been archived.
CREATE FUNCTION search_conversation_memory(
    query_embedding vector(1536),
    p_user_id uuid DEFAULT NULL,
    match_count integer DEFAULT 10,
    cutoff_date timestamptz DEFAULT NULL
)
RETURNS TABLE (
    id uuid,
    session_id uuid,
    message_role text,
    message_content text,
    context_entities jsonb,
    conversation_date date,
    created_at timestamptz,
    similarity double precision
)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user_id CONSTANT uuid := acting_user(p_user_id);
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 10), 1), 200);
BEGIN
    PERFORM check_query_embedding(query_embedding);
    RETURN QUERY
    SELECT
        m.id,
        m.session_id,
        m.message_role,
        m.message_content,
        m.context_entities,
        m.conversation_date,
        m.created_at,
        n.similarity
    FROM nearest_rows('conversation', query_embedding, c_user_id, c_count, cutoff_date) AS n
    INNER JOIN ai_conversation_memory AS m ON n.id = m.id
    ORDER BY n.similarity DESC, m.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION search_conversation_memory(
    vector, uuid, integer, timestamptz
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION search_conversation_memory(vector, uuid, integer, timestamptz) IS
'The caller''s messages (a service names the user) since cutoff_date that are most similar to a query, match_count '
'(1 to 200), best first.';
