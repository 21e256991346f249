-- depends: 0095_forget_embedding_hash
-- By statement, so that a user's row in user_stats is written once for any number of rows. The arrays say what comes
-- and what goes: for tasks all and completed ones, for projects likewise, for insights all and applied ones, for time
-- entries the minutes.
CREATE FUNCTION count_for_user_stats()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_what CONSTANT text := tg_argv[0];
    v_users uuid[] := '{}'::uuid[];
    v_firsts integer[] := '{}'::integer[];
    v_seconds integer[] := '{}'::integer[];
    v_old_users uuid[] := '{}'::uuid[];
    v_old_firsts integer[] := '{}'::integer[];
    v_old_seconds integer[] := '{}'::integer[];
BEGIN
    IF tg_op <> 'DELETE' THEN
        CASE c_what
            WHEN 'journal_entries' THEN
                SELECT array_agg(n.user_id), array_agg((NOT n.archived)::integer), array_agg(0)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            WHEN 'areas' THEN
                SELECT array_agg(n.user_id), array_agg((NOT n.archived)::integer), array_agg(0)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            WHEN 'tasks' THEN
                SELECT
                    array_agg(n.user_id),
                    array_agg((NOT n.archived)::integer),
                    array_agg((NOT n.archived AND n.completed)::integer)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            WHEN 'projects' THEN
                SELECT
                    array_agg(n.user_id),
                    array_agg((NOT n.archived)::integer),
                    array_agg((NOT n.archived AND coalesce(n.status = 'completed', FALSE))::integer)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            WHEN 'insights' THEN
                SELECT array_agg(n.user_id), array_agg(1), array_agg((n.application_count > 0)::integer)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            WHEN 'time_entries' THEN
                SELECT
                    array_agg(n.user_id),
                    array_agg(CASE WHEN n.activity_type = 'focused' THEN coalesce(n.duration_minutes, 0) ELSE 0 END),
                    array_agg(0)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
            ELSE
                SELECT array_agg(n.user_id), array_agg((n.message_role = 'user')::integer), array_agg(0)
                INTO v_users, v_firsts, v_seconds
                FROM new_rows AS n;
        END CASE;
    END IF;
    IF tg_op <> 'INSERT' THEN
        CASE c_what
            WHEN 'journal_entries' THEN
                SELECT array_agg(o.user_id), array_agg(-(NOT o.archived)::integer), array_agg(0)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            WHEN 'areas' THEN
                SELECT array_agg(o.user_id), array_agg(-(NOT o.archived)::integer), array_agg(0)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            WHEN 'tasks' THEN
                SELECT
                    array_agg(o.user_id),
                    array_agg(-(NOT o.archived)::integer),
                    array_agg(-(NOT o.archived AND o.completed)::integer)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            WHEN 'projects' THEN
                SELECT
                    array_agg(o.user_id),
                    array_agg(-(NOT o.archived)::integer),
                    array_agg(-(NOT o.archived AND coalesce(o.status = 'completed', FALSE))::integer)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            WHEN 'insights' THEN
                SELECT array_agg(o.user_id), array_agg(-1), array_agg(-(o.application_count > 0)::integer)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            WHEN 'time_entries' THEN
                SELECT
                    array_agg(o.user_id),
                    array_agg(CASE WHEN o.activity_type = 'focused' THEN -coalesce(o.duration_minutes, 0) ELSE 0 END),
                    array_agg(0)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
            ELSE
                SELECT array_agg(o.user_id), array_agg(-(o.message_role = 'user')::integer), array_agg(0)
                INTO v_old_users, v_old_firsts, v_old_seconds
                FROM old_rows AS o;
        END CASE;
    END IF;

    INSERT INTO user_stats AS s (
        user_id, total_journal_entries, total_areas, total_tasks, tasks_completed, total_projects, completed_projects,
        insights_generated, insights_applied, total_focus_time_minutes, total_ai_interactions
    )
    SELECT
        d.user_id,
        CASE WHEN c_what = 'journal_entries' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'areas' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'tasks' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'tasks' THEN d.seconds ELSE 0 END,
        CASE WHEN c_what = 'projects' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'projects' THEN d.seconds ELSE 0 END,
        CASE WHEN c_what = 'insights' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'insights' THEN d.seconds ELSE 0 END,
        CASE WHEN c_what = 'time_entries' THEN d.firsts ELSE 0 END,
        CASE WHEN c_what = 'messages' THEN d.firsts ELSE 0 END
    FROM (
        SELECT
            c.user_id,
            sum(c.firsts)::integer AS firsts,
            sum(c.seconds)::integer AS seconds
        FROM unnest(
            v_users || v_old_users, v_firsts || v_old_firsts, v_seconds || v_old_seconds
        ) AS c (user_id, firsts, seconds)
        GROUP BY c.user_id
    ) AS d
    WHERE
        (d.firsts <> 0 OR d.seconds <> 0)
        -- Not of an account that is just being deleted.
        AND EXISTS (SELECT 1 FROM auth.users AS u WHERE u.id = d.user_id)
    ORDER BY d.user_id
    ON CONFLICT (user_id) DO UPDATE
    SET
        total_journal_entries = coalesce(s.total_journal_entries, 0) + excluded.total_journal_entries,
        total_areas = coalesce(s.total_areas, 0) + excluded.total_areas,
        total_tasks = coalesce(s.total_tasks, 0) + excluded.total_tasks,
        tasks_completed = coalesce(s.tasks_completed, 0) + excluded.tasks_completed,
        total_projects = coalesce(s.total_projects, 0) + excluded.total_projects,
        completed_projects = coalesce(s.completed_projects, 0) + excluded.completed_projects,
        insights_generated = s.insights_generated + excluded.insights_generated,
        insights_applied = s.insights_applied + excluded.insights_applied,
        total_focus_time_minutes = s.total_focus_time_minutes + excluded.total_focus_time_minutes,
        total_ai_interactions = s.total_ai_interactions + excluded.total_ai_interactions,
        last_updated = now();
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_for_user_stats() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_for_user_stats() IS 'Trigger: keeps the counters of user_stats.';
