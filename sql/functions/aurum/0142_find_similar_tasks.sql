-- depends: 0141_find_similar_journal_entries
-- By their descriptions; tasks without one are found by nothing.
CREATE FUNCTION find_similar_tasks(
    query_embedding vector(1536),
    match_count integer DEFAULT 5,
    user_id_filter uuid DEFAULT NULL,
    include_completed boolean DEFAULT FALSE
)
RETURNS TABLE (
    id uuid,
    name text,
    description text,
    status text,
    priority text,
    due_date timestamptz,
    project_id uuid,
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
        t.id,
        t.name,
        t.description,
        t.status,
        t.priority,
        t.due_date,
        t.project_id,
        n.similarity
    FROM nearest_rows(
        'task', query_embedding, c_user_id, c_count, p_open_only => NOT coalesce(include_completed, FALSE)
    ) AS n
    INNER JOIN tasks AS t ON n.id = t.id
    ORDER BY n.similarity DESC, t.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION find_similar_tasks(
    vector, integer, uuid, boolean
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION find_similar_tasks(vector, integer, uuid, boolean) IS
'The caller''s tasks (a service names the user) whose descriptions are most similar to a query, match_count (1 to '
'200), best first; completed ones only if asked for.';
