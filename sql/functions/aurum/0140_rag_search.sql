-- depends: 0139_nearest_rows
-- The best of each kind hold the best of all.
CREATE FUNCTION rag_search(
    query_embedding vector(1536),
    user_id_filter uuid DEFAULT NULL,
    match_count integer DEFAULT 10,
    date_range_days integer DEFAULT NULL
)
RETURNS TABLE (
    entity_type text,
    entity_id uuid,
    title text,
    content text,
    similarity double precision,
    created_at timestamptz,
    metadata jsonb
)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user_id CONSTANT uuid := acting_user(user_id_filter);
    c_count CONSTANT integer := least(greatest(coalesce(match_count, 10), 1), 200);
    -- greatest() passes over nulls; a longer time than a century is no limit either.
    c_since CONSTANT timestamptz := CASE
        WHEN date_range_days IS NOT NULL THEN now() - make_interval(days => least(greatest(date_range_days, 0), 36500))
    END;
BEGIN
    PERFORM check_query_embedding(query_embedding);
    RETURN QUERY
    WITH near AS MATERIALIZED (
        SELECT
            k.kind,
            n.id,
            n.similarity
        FROM unnest(ARRAY['journal_entry', 'task', 'project', 'daily_reflection']) AS k (kind)
        CROSS JOIN LATERAL nearest_rows(k.kind, query_embedding, c_user_id, c_count, c_since) AS n
        ORDER BY n.similarity DESC, k.kind ASC, n.id ASC
        LIMIT c_count
    )

    SELECT
        n.kind,
        n.id,
        coalesce(j.title, t.name, p.name, r.reflection_date::text),
        coalesce(j.content, t.description, p.description, r.reflection_text),
        n.similarity,
        coalesce(j.created_at, t.created_at, p.created_at, r.created_at),
        CASE n.kind
            WHEN 'journal_entry'
                THEN jsonb_build_object('mood', j.mood, 'energy_level', j.energy_level, 'tags', j.tags)
            WHEN 'task'
                THEN jsonb_build_object(
                    'status', t.status, 'priority', t.priority, 'due_date', t.due_date, 'project_id', t.project_id,
                    'area_id', t.area_id, 'pillar_id', t.pillar_id
                )
            WHEN 'project'
                THEN jsonb_build_object(
                    'status', p.status, 'priority', p.priority, 'deadline', p.deadline, 'area_id', p.area_id,
                    'pillar_id', p.pillar_id
                )
            ELSE jsonb_build_object(
                'reflection_date', r.reflection_date, 'mood', r.mood, 'energy_level', r.energy_level,
                'completion_score', r.completion_score
            )
        END
    FROM near AS n
    LEFT JOIN journal_entries AS j ON n.kind = 'journal_entry' AND n.id = j.id
    LEFT JOIN tasks AS t ON n.kind = 'task' AND n.id = t.id
    LEFT JOIN projects AS p ON n.kind = 'project' AND n.id = p.id
    LEFT JOIN daily_reflections AS r ON n.kind = 'daily_reflection' AND n.id = r.id
    ORDER BY n.similarity DESC, n.kind ASC, n.id ASC;
END;
$$;
REVOKE ALL ON FUNCTION rag_search(vector, uuid, integer, integer) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION rag_search(vector, uuid, integer, integer) IS
'The caller''s journal entries, tasks, projects and reflections (a service names the user) of the last date_range_days '
'that are most similar to a query, match_count (1 to 200) of them, best first.';
