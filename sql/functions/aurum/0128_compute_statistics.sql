-- depends: 0127_acting_user
-- All users at once or one alone, by the same statement. A period begins at the user's own midnight; a week on Monday.
-- What is archived does not count. Time spent on a task counts for its project, area and pillar, too.
CREATE FUNCTION compute_statistics(p_stat_date date, p_stat_type text, p_users uuid[])
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET jit = off
AS $$
DECLARE
    v_first date;
    v_end date;
    v_written integer;
BEGIN
    IF p_stat_date IS NULL OR NOT coalesce(p_stat_type IN ('daily', 'weekly', 'monthly'), FALSE) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format(
                'there are no %s statistics of %s',
                coalesce(p_stat_type, 'null'), coalesce(p_stat_date::text, 'null')
            ),
            HINT = 'Give a date, and daily, weekly or monthly.',
            CONSTRAINT = 'user_statistics_cache_stat_type_check',
            TABLE = 'user_statistics_cache',
            SCHEMA = current_schema();
    END IF;
    v_first := CASE p_stat_type
        WHEN 'daily' THEN p_stat_date
        WHEN 'weekly' THEN date_trunc('week', p_stat_date)::date
        ELSE date_trunc('month', p_stat_date)::date
    END;
    v_end := CASE p_stat_type
        WHEN 'daily' THEN v_first + 1
        WHEN 'weekly' THEN v_first + 7
        ELSE (v_first + interval '1 month')::date
    END;

    WITH people AS MATERIALIZED (
        SELECT
            u.id AS user_id,
            v_first::timestamp AT TIME ZONE coalesce(p.timezone, 'UTC') AS begins,
            v_end::timestamp AT TIME ZONE coalesce(p.timezone, 'UTC') AS ends
        FROM unnest(p_users) AS u (id)
        LEFT JOIN user_profiles AS p ON u.id = p.id
    ),

    task AS MATERIALIZED (
        SELECT
            t.id,
            t.user_id,
            t.project_id,
            t.area_id,
            t.pillar_id,
            t.status,
            t.priority,
            t.completed,
            t.due_date,
            t.completed_at,
            coalesce(t.created_at >= p.begins AND t.created_at < p.ends, FALSE) AS created_in,
            coalesce(t.completed_at >= p.begins AND t.completed_at < p.ends, FALSE) AS completed_in,
            coalesce(t.due_date >= p.begins AND t.due_date < p.ends, FALSE) AS due_in
        FROM people AS p
        INNER JOIN tasks AS t ON p.user_id = t.user_id
        WHERE NOT t.archived
    ),

    entry AS MATERIALIZED (
        SELECT
            e.user_id,
            e.activity_type,
            e.duration_minutes AS minutes,
            e.energy_level,
            e.productivity_rating,
            t.id AS task_id,
            coalesce(t.project_id, CASE WHEN e.entity_type = 'project' THEN e.entity_id END) AS project_id,
            coalesce(t.area_id, j.area_id, CASE WHEN e.entity_type = 'area' THEN e.entity_id END) AS area_id,
            coalesce(
                t.pillar_id, j.pillar_id, a.pillar_id, CASE WHEN e.entity_type = 'pillar' THEN e.entity_id END
            ) AS pillar_id
        FROM people AS p
        INNER JOIN time_entries AS e
            ON p.user_id = e.user_id AND e.start_time >= p.begins AND e.start_time < p.ends
        LEFT JOIN tasks AS t ON e.entity_type = 'task' AND e.entity_id = t.id
        LEFT JOIN projects AS j ON e.entity_type = 'project' AND e.entity_id = j.id
        LEFT JOIN areas AS a ON e.entity_type = 'area' AND e.entity_id = a.id
        WHERE e.duration_minutes IS NOT NULL
    ),

    -- For each level of the hierarchy at once: a row has the id of its own level, and null in the others.
    task_sums AS (
        SELECT
            k.project_id,
            k.area_id,
            k.pillar_id,
            count(*) AS total,
            count(*) FILTER (WHERE NOT k.completed) AS open,
            count(*) FILTER (WHERE k.completed) AS completed,
            count(*) FILTER (WHERE k.completed_in) AS completed_in
        FROM task AS k
        GROUP BY GROUPING SETS ((k.project_id), (k.area_id), (k.pillar_id))
    ),

    entry_sums AS (
        SELECT
            k.project_id,
            k.area_id,
            k.pillar_id,
            sum(k.minutes) AS minutes
        FROM entry AS k
        GROUP BY GROUPING SETS ((k.project_id), (k.area_id), (k.pillar_id))
    ),

    project_sums AS (
        SELECT
            k.area_id,
            k.pillar_id,
            count(*) AS total
        FROM people AS p
        INNER JOIN projects AS k ON p.user_id = k.user_id
        WHERE NOT k.archived
        GROUP BY GROUPING SETS ((k.area_id), (k.pillar_id))
    ),

    of_project AS (
        SELECT
            j.user_id,
            jsonb_object_agg(
                j.id, jsonb_build_object(
                    'name', j.name,
                    'status', j.status,
                    'tasks', coalesce(t.total, 0),
                    'open', coalesce(t.open, 0),
                    'completed', coalesce(t.completed, 0),
                    'completed_in_period', coalesce(t.completed_in, 0),
                    'minutes', coalesce(e.minutes, 0)
                )
            ) AS stats
        FROM people AS p
        INNER JOIN projects AS j ON p.user_id = j.user_id
        LEFT JOIN task_sums AS t ON j.id = t.project_id
        LEFT JOIN entry_sums AS e ON j.id = e.project_id
        WHERE NOT j.archived
        GROUP BY j.user_id
    ),

    of_area AS (
        SELECT
            a.user_id,
            jsonb_object_agg(
                a.id, jsonb_build_object(
                    'name', a.name,
                    'projects', coalesce(j.total, 0),
                    'tasks', coalesce(t.total, 0),
                    'open', coalesce(t.open, 0),
                    'completed', coalesce(t.completed, 0),
                    'completed_in_period', coalesce(t.completed_in, 0),
                    'minutes', coalesce(e.minutes, 0)
                )
            ) AS stats
        FROM people AS p
        INNER JOIN areas AS a ON p.user_id = a.user_id
        LEFT JOIN project_sums AS j ON a.id = j.area_id
        LEFT JOIN task_sums AS t ON a.id = t.area_id
        LEFT JOIN entry_sums AS e ON a.id = e.area_id
        WHERE NOT a.archived
        GROUP BY a.user_id
    ),

    of_pillar AS (
        SELECT
            i.user_id,
            jsonb_object_agg(
                i.id, jsonb_build_object(
                    'name', i.name,
                    'areas', coalesce(a.total, 0),
                    'projects', coalesce(j.total, 0),
                    'tasks', coalesce(t.total, 0),
                    'open', coalesce(t.open, 0),
                    'completed', coalesce(t.completed, 0),
                    'completed_in_period', coalesce(t.completed_in, 0),
                    'minutes', coalesce(e.minutes, 0)
                )
            ) AS stats
        FROM people AS p
        INNER JOIN pillars AS i ON p.user_id = i.user_id
        LEFT JOIN (
            SELECT
                k.pillar_id,
                count(*) AS total
            FROM people AS q
            INNER JOIN areas AS k ON q.user_id = k.user_id
            WHERE NOT k.archived
            GROUP BY k.pillar_id
        ) AS a ON i.id = a.pillar_id
        LEFT JOIN project_sums AS j ON i.id = j.pillar_id
        LEFT JOIN task_sums AS t ON i.id = t.pillar_id
        LEFT JOIN entry_sums AS e ON i.id = e.pillar_id
        WHERE NOT i.archived
        GROUP BY i.user_id
    ),

    of_status AS (
        SELECT
            k.user_id,
            jsonb_object_agg(k.status, k.tasks) AS stats
        FROM (
            SELECT
                t.user_id,
                coalesce(t.status, 'none') AS status,
                count(*) AS tasks
            FROM task AS t
            GROUP BY 1, 2
        ) AS k
        GROUP BY k.user_id
    ),

    of_priority AS (
        SELECT
            k.user_id,
            jsonb_object_agg(k.priority, k.tasks) AS stats
        FROM (
            SELECT
                t.user_id,
                coalesce(t.priority, 'none') AS priority,
                count(*) AS tasks
            FROM task AS t
            GROUP BY 1, 2
        ) AS k
        GROUP BY k.user_id
    ),

    of_task AS (
        SELECT
            t.user_id,
            count(*) AS total,
            count(*) FILTER (WHERE NOT t.completed) AS open,
            count(*) FILTER (WHERE t.completed) AS completed,
            count(*) FILTER (WHERE NOT t.completed AND t.due_date < now()) AS overdue,
            count(*) FILTER (WHERE t.created_in) AS created,
            count(*) FILTER (WHERE t.completed_in) AS completed_in,
            count(*) FILTER (WHERE t.due_in) AS due,
            count(*) FILTER (WHERE t.due_in AND t.completed) AS due_completed,
            count(*) FILTER (WHERE t.completed_in AND t.due_date IS NOT NULL) AS with_due,
            count(*) FILTER (WHERE t.completed_in AND t.completed_at <= t.due_date) AS on_time
        FROM task AS t
        GROUP BY t.user_id
    ),

    of_pillar_time AS (
        SELECT
            k.user_id,
            jsonb_object_agg(k.pillar, k.minutes) AS stats
        FROM (
            SELECT
                e.user_id,
                coalesce(e.pillar_id::text, 'none') AS pillar,
                sum(e.minutes) AS minutes
            FROM entry AS e
            GROUP BY 1, 2
        ) AS k
        GROUP BY k.user_id
    ),

    of_activity AS (
        SELECT
            k.user_id,
            jsonb_object_agg(k.activity, k.minutes) AS stats
        FROM (
            SELECT
                e.user_id,
                coalesce(e.activity_type, 'none') AS activity,
                sum(e.minutes) AS minutes
            FROM entry AS e
            GROUP BY 1, 2
        ) AS k
        GROUP BY k.user_id
    ),

    of_entry AS (
        SELECT
            e.user_id,
            sum(e.minutes) AS minutes,
            coalesce(sum(e.minutes) FILTER (WHERE e.activity_type = 'focused'), 0) AS focus,
            round(avg(e.energy_level), 2) AS energy,
            round(avg(e.productivity_rating), 2) AS productivity
        FROM entry AS e
        GROUP BY e.user_id
    )

    INSERT INTO user_statistics_cache AS c (
        user_id, stat_date, stat_type, pillar_stats, area_stats, project_stats, task_stats, time_allocation,
        productivity_metrics
    )
    SELECT
        p.user_id,
        v_first,
        p_stat_type,
        coalesce(i.stats, '{}'),
        coalesce(a.stats, '{}'),
        coalesce(j.stats, '{}'),
        jsonb_build_object(
            'total', coalesce(t.total, 0),
            'open', coalesce(t.open, 0),
            'completed', coalesce(t.completed, 0),
            'overdue', coalesce(t.overdue, 0),
            'created', coalesce(t.created, 0),
            'completed_in_period', coalesce(t.completed_in, 0),
            'by_status', coalesce(s.stats, '{}'),
            'by_priority', coalesce(r.stats, '{}')
        ),
        jsonb_build_object(
            'total', coalesce(e.minutes, 0),
            'by_pillar', coalesce(m.stats, '{}'),
            'by_activity', coalesce(v.stats, '{}')
        ),
        jsonb_build_object(
            'completion_rate', round(t.due_completed::numeric / nullif(t.due, 0), 2),
            'on_time_rate', round(t.on_time::numeric / nullif(t.with_due, 0), 2),
            'focus_minutes', coalesce(e.focus, 0),
            'average_energy', e.energy,
            'average_productivity', e.productivity,
            'journal_entries', (
                SELECT count(*)
                FROM journal_entries AS k
                WHERE k.user_id = p.user_id AND NOT k.archived AND k.created_at >= p.begins AND k.created_at < p.ends
            ),
            'reflections', (
                SELECT count(*)
                FROM daily_reflections AS k
                WHERE k.user_id = p.user_id AND k.reflection_date >= v_first AND k.reflection_date < v_end
            )
        )
    FROM people AS p
    LEFT JOIN of_pillar AS i ON p.user_id = i.user_id
    LEFT JOIN of_area AS a ON p.user_id = a.user_id
    LEFT JOIN of_project AS j ON p.user_id = j.user_id
    LEFT JOIN of_task AS t ON p.user_id = t.user_id
    LEFT JOIN of_status AS s ON p.user_id = s.user_id
    LEFT JOIN of_priority AS r ON p.user_id = r.user_id
    LEFT JOIN of_entry AS e ON p.user_id = e.user_id
    LEFT JOIN of_pillar_time AS m ON p.user_id = m.user_id
    LEFT JOIN of_activity AS v ON p.user_id = v.user_id
    -- In one order, so that two of these cannot wait for each other.
    ORDER BY p.user_id
    ON CONFLICT ON CONSTRAINT unique_user_stat_date DO UPDATE
    SET
        pillar_stats = excluded.pillar_stats,
        area_stats = excluded.area_stats,
        project_stats = excluded.project_stats,
        task_stats = excluded.task_stats,
        time_allocation = excluded.time_allocation,
        productivity_metrics = excluded.productivity_metrics,
        updated_at = now();
    GET DIAGNOSTICS v_written = ROW_COUNT;
    RETURN v_written;
END;
$$;
REVOKE ALL ON FUNCTION compute_statistics(date, text, uuid[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION compute_statistics(date, text, uuid[]) IS
'Fills user_statistics_cache for these users and the day, week or month of a date; how many.';
