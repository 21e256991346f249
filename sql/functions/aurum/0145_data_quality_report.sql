-- depends: 0144_archive_old_conversations
-- What no constraint can say. Nothing is found as long as everything goes through this system's triggers.
CREATE FUNCTION data_quality_report()
RETURNS TABLE (violation text, found bigint)
LANGUAGE plpgsql
STABLE
SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
AS $$
BEGIN
    RETURN QUERY
    WITH entity AS (
        SELECT
            'pillar' AS entity_type,
            e.id,
            e.user_id
        FROM pillars AS e
        UNION ALL
        SELECT
            'area' AS entity_type,
            e.id,
            e.user_id
        FROM areas AS e
        UNION ALL
        SELECT
            'project' AS entity_type,
            e.id,
            e.user_id
        FROM projects AS e
        UNION ALL
        SELECT
            'task' AS entity_type,
            e.id,
            e.user_id
        FROM tasks AS e
    )

    SELECT
        v.violation,
        v.found
    FROM (
        SELECT
            'areas: the pillar is another user''s' AS violation,
            count(*) AS found
        FROM areas AS a
        INNER JOIN pillars AS p ON a.pillar_id = p.id
        WHERE a.user_id <> p.user_id
        UNION ALL
        SELECT
            'projects: the area is another user''s' AS violation,
            count(*) AS found
        FROM projects AS p
        INNER JOIN areas AS a ON p.area_id = a.id
        WHERE p.user_id <> a.user_id
        UNION ALL
        SELECT
            'projects: pillar_id is not that of the area' AS violation,
            count(*) AS found
        FROM projects AS p
        INNER JOIN areas AS a ON p.area_id = a.id
        WHERE p.pillar_id IS DISTINCT FROM a.pillar_id
        UNION ALL
        SELECT
            'tasks: the project is another user''s' AS violation,
            count(*) AS found
        FROM tasks AS t
        INNER JOIN projects AS p ON t.project_id = p.id
        WHERE t.user_id <> p.user_id
        UNION ALL
        SELECT
            'tasks: area_id or pillar_id is not that of the project' AS violation,
            count(*) AS found
        FROM tasks AS t
        INNER JOIN projects AS p ON t.project_id = p.id
        INNER JOIN areas AS a ON p.area_id = a.id
        WHERE (t.area_id, t.pillar_id) IS DISTINCT FROM (p.area_id, a.pillar_id)
        UNION ALL
        SELECT
            'tasks: the parent task is another user''s' AS violation,
            count(*) AS found
        FROM tasks AS t
        INNER JOIN tasks AS p ON t.parent_task_id = p.id
        WHERE t.user_id <> p.user_id
        UNION ALL
        SELECT
            'tasks: its own ancestor' AS violation,
            count(*) AS found
        FROM (
            WITH RECURSIVE above (id, ancestor) AS (
                SELECT
                    t.id,
                    t.parent_task_id
                FROM tasks AS t
                WHERE t.parent_task_id IS NOT NULL
                UNION
                SELECT
                    b.id,
                    t.parent_task_id
                FROM above AS b
                INNER JOIN tasks AS t ON b.ancestor = t.id
                WHERE t.parent_task_id IS NOT NULL AND b.ancestor <> b.id
            )

            SELECT b.id
            FROM above AS b
            WHERE b.ancestor = b.id
        ) AS circle
        UNION ALL
        SELECT
            'tasks: depends on itself, on nothing, or on what is not a task of the same user' AS violation,
            count(*) AS found
        FROM tasks AS t
        CROSS JOIN LATERAL unnest(t.dependency_task_ids) AS d (id)
        LEFT JOIN tasks AS o ON d.id = o.id AND t.user_id = o.user_id AND t.id <> o.id
        WHERE t.dependency_task_ids <> '{}' AND o.id IS NULL
        UNION ALL
        SELECT
            'insights: about what does not exist or is another user''s' AS violation,
            count(*) AS found
        FROM insights AS i
        WHERE
            i.entity_type <> 'global'
            AND NOT EXISTS (
                SELECT 1
                FROM entity AS e
                WHERE i.entity_type = e.entity_type AND i.entity_id = e.id AND i.user_id = e.user_id
            )
        UNION ALL
        SELECT
            'time_entries: spent on what does not exist or is another user''s' AS violation,
            count(*) AS found
        FROM time_entries AS i
        WHERE
            NOT EXISTS (
                SELECT 1
                FROM entity AS e
                WHERE i.entity_type = e.entity_type AND i.entity_id = e.id AND i.user_id = e.user_id
            )
        UNION ALL
        SELECT
            'insights: not the successor of the previous version' AS violation,
            count(*) AS found
        FROM insights AS i
        INNER JOIN insights AS o ON i.previous_version_id = o.id
        WHERE
            i.version <> o.version + 1
            OR (i.entity_type, i.entity_id) IS DISTINCT FROM (o.entity_type, o.entity_id)
            OR o.is_active
        UNION ALL
        SELECT
            'user_stats: counters that are not true' AS violation,
            count(*) AS found
        FROM user_stats AS s
        INNER JOIN user_counters(ARRAY(SELECT k.user_id FROM user_stats AS k)) AS c ON s.user_id = c.user_id
        WHERE
            (
                s.total_journal_entries, s.total_tasks, s.tasks_completed, s.total_areas, s.total_projects,
                s.completed_projects, s.total_ai_interactions, s.insights_generated, s.insights_applied,
                s.total_focus_time_minutes
            ) IS DISTINCT FROM (
                c.total_journal_entries, c.total_tasks, c.tasks_completed, c.total_areas, c.total_projects,
                c.completed_projects, c.total_ai_interactions, c.insights_generated, c.insights_applied,
                c.total_focus_time_minutes
            )
        UNION ALL
        SELECT
            'user_stats: missing' AS violation,
            count(DISTINCT a.user_id) AS found
        FROM areas AS a
        WHERE NOT a.archived AND NOT EXISTS (SELECT 1 FROM user_stats AS s WHERE s.user_id = a.user_id)
        UNION ALL
        SELECT
            'constraints: not validated' AS violation,
            count(*) AS found
        FROM pg_catalog.pg_constraint AS k
        WHERE k.connamespace = to_regnamespace(quote_ident(current_schema())) AND NOT k.convalidated
    ) AS v
    WHERE v.found > 0;
END;
$$;
REVOKE ALL ON FUNCTION data_quality_report() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION data_quality_report() IS
'Every kind of inconsistency that constraints cannot express and of which there is any, with the number of rows.';
