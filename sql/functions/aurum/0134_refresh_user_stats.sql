-- depends: 0133_user_stats_backfill
-- What becomes untrue by itself as time goes by.
CREATE FUNCTION refresh_user_stats(p_user_id uuid DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET jit = off
AS $$
DECLARE
    v_refreshed integer;
BEGIN
    -- Who has nothing that is counted has no row yet.
    INSERT INTO user_stats (user_id)
    SELECT u.id
    FROM (
        SELECT r.id
        FROM user_profiles AS r
        UNION
        SELECT r.user_id
        FROM pillars AS r
        UNION
        SELECT r.user_id
        FROM daily_reflections AS r
    ) AS u
    WHERE p_user_id IS NULL OR u.id = p_user_id
    ORDER BY u.id
    ON CONFLICT (user_id) DO NOTHING;

    WITH people AS MATERIALIZED (
        SELECT
            s.user_id,
            p.id AS profile,
            coalesce(p.timezone, 'UTC') AS timezone
        FROM user_stats AS s
        LEFT JOIN user_profiles AS p ON s.user_id = p.id
        WHERE p_user_id IS NULL OR s.user_id = p_user_id
    ),

    task AS (
        SELECT
            t.user_id,
            round(avg(extract(EPOCH FROM t.completed_at - t.created_at) / 60) FILTER (
                WHERE t.completed_at > now() - interval '90 days' AND t.completed_at >= t.created_at
            )) AS minutes,
            round(avg(
                least(t.estimated_duration, t.actual_duration)::numeric
                / greatest(t.estimated_duration, t.actual_duration)
            ) FILTER (
                WHERE t.completed AND t.estimated_duration > 0 AND t.actual_duration > 0
            ), 2) AS accuracy,
            count(*) FILTER (WHERE t.completed_at > now() - interval '7 days') AS this_week,
            count(*) FILTER (
                WHERE t.completed_at BETWEEN now() - interval '14 days' AND now() - interval '7 days'
            ) AS last_week,
            round(avg(t.completed::integer) FILTER (
                WHERE t.due_date BETWEEN now() - interval '30 days' AND now()
            ), 2) AS rate
        FROM people AS p
        INNER JOIN tasks AS t ON p.user_id = t.user_id
        WHERE NOT t.archived
        GROUP BY t.user_id
    ),

    active AS (
        SELECT
            d.user_id,
            count(DISTINCT d.day) AS days
        FROM (
            SELECT
                p.user_id,
                date(a.at AT TIME ZONE p.timezone) AS day,
                date(now() AT TIME ZONE p.timezone) AS today
            FROM people AS p
            CROSS JOIN LATERAL (
                SELECT t.created_at
                FROM tasks AS t
                WHERE t.user_id = p.user_id
                UNION ALL
                SELECT t.completed_at
                FROM tasks AS t
                WHERE t.user_id = p.user_id
                UNION ALL
                SELECT j.created_at
                FROM journal_entries AS j
                WHERE j.user_id = p.user_id
                UNION ALL
                SELECT r.created_at
                FROM daily_reflections AS r
                WHERE r.user_id = p.user_id
                UNION ALL
                SELECT e.start_time
                FROM time_entries AS e
                WHERE e.user_id = p.user_id
                UNION ALL
                SELECT m.created_at
                FROM ai_conversation_memory AS m
                WHERE m.user_id = p.user_id
            ) AS a (at)
            WHERE a.at BETWEEN now() - interval '8 days' AND now()
        ) AS d
        WHERE d.day > d.today - 7
        GROUP BY d.user_id
    ),

    helpful AS (
        SELECT
            m.user_id,
            round(5 * avg(m.was_helpful::integer), 2) AS score
        FROM people AS p
        INNER JOIN ai_conversation_memory AS m ON p.user_id = m.user_id
        WHERE m.was_helpful IS NOT NULL AND m.created_at > now() - interval '30 days'
        GROUP BY m.user_id
    ),

    figures AS MATERIALIZED (
        SELECT
            p.user_id,
            p.profile,
            h.score AS satisfaction,
            t.minutes,
            t.accuracy,
            coalesce(a.days, 0) AS days,
            round(
                0.5 * coalesce(a.days, 0) / 7
                + 0.5 * coalesce(t.this_week::numeric / nullif(t.this_week + t.last_week, 0), 0.5),
                2
            ) AS momentum,
            coalesce(t.rate, 0) AS rate
        FROM people AS p
        LEFT JOIN task AS t ON p.user_id = t.user_id
        LEFT JOIN active AS a ON p.user_id = a.user_id
        LEFT JOIN helpful AS h ON p.user_id = h.user_id
    ),

    profiles AS (
        UPDATE user_profiles AS u
        SET
            average_daily_completion_rate = f.rate,
            total_focus_hours = least(round(s.total_focus_time_minutes / 60.0, 2), 999999.99)
        FROM figures AS f
        INNER JOIN user_stats AS s ON f.user_id = s.user_id
        WHERE
            u.id = f.profile
            AND (u.average_daily_completion_rate, u.total_focus_hours)
            IS DISTINCT FROM (f.rate, least(round(s.total_focus_time_minutes / 60.0, 2), 999999.99))
    )

    UPDATE user_stats AS s
    SET
        ai_satisfaction_score = f.satisfaction,
        average_task_completion_time = f.minutes,
        task_estimation_accuracy = f.accuracy,
        weekly_active_days = f.days,
        current_momentum_score = f.momentum,
        last_updated = now()
    FROM figures AS f
    WHERE s.user_id = f.user_id;
    GET DIAGNOSTICS v_refreshed = ROW_COUNT;
    RETURN v_refreshed;
END;
$$;
REVOKE ALL ON FUNCTION refresh_user_stats(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_user_stats(uuid) IS
'Refreshes what depends on time, of one user or all; how many. A job. Archived tasks do not count. '
'weekly_active_days: of the last 7 days of the user''s time zone, today included, those with a task created or '
'completed, an entry, a reflection, a time entry or a message. current_momentum_score: 0.5 · weekly_active_days / 7 '
'+ 0.5 · tasks completed in 7 days / tasks completed in 14 (0.5 without any). average_task_completion_time: mean '
'minutes from creation to completion over 90 days. task_estimation_accuracy: mean of the lesser of estimated and '
'actual duration divided by the greater. ai_satisfaction_score: 5 · the share of rated messages of 30 days that were '
'helpful. Of the profile: average_daily_completion_rate, of tasks due in 30 days the share completed; '
'total_focus_hours.';
