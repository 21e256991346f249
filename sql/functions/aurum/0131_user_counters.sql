-- depends: 0130_refresh_all_statistics
-- The truth that the counters of user_stats are held to: what they are filled with once, and compared with.
CREATE FUNCTION user_counters(p_users uuid[])
RETURNS TABLE (
    user_id uuid,
    total_journal_entries integer,
    total_tasks integer,
    tasks_completed integer,
    total_areas integer,
    total_projects integer,
    completed_projects integer,
    total_ai_interactions integer,
    insights_generated integer,
    insights_applied integer,
    total_focus_time_minutes integer
)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT
        u.id AS user_id,
        (
            SELECT count(*)::integer
            FROM journal_entries AS j
            WHERE j.user_id = u.id AND NOT j.archived
        ) AS total_journal_entries,
        (
            SELECT count(*)::integer
            FROM tasks AS t
            WHERE t.user_id = u.id AND NOT t.archived
        ) AS total_tasks,
        (
            SELECT count(*)::integer
            FROM tasks AS t
            WHERE t.user_id = u.id AND NOT t.archived AND t.completed
        ) AS tasks_completed,
        (
            SELECT count(*)::integer
            FROM areas AS a
            WHERE a.user_id = u.id AND NOT a.archived
        ) AS total_areas,
        (
            SELECT count(*)::integer
            FROM projects AS p
            WHERE p.user_id = u.id AND NOT p.archived
        ) AS total_projects,
        (
            SELECT count(*)::integer
            FROM projects AS p
            WHERE p.user_id = u.id AND NOT p.archived AND p.status = 'completed'
        ) AS completed_projects,
        (
            SELECT count(*)::integer
            FROM ai_conversation_memory AS m
            WHERE m.user_id = u.id AND m.message_role = 'user'
        ) + (
            SELECT count(*)::integer
            FROM archived_conversation_memory AS m
            WHERE m.user_id = u.id AND m.message_role = 'user'
        ) AS total_ai_interactions,
        (
            SELECT count(*)::integer
            FROM insights AS i
            WHERE i.user_id = u.id
        ) AS insights_generated,
        (
            SELECT count(*)::integer
            FROM insights AS i
            WHERE i.user_id = u.id AND i.application_count > 0
        ) AS insights_applied,
        (
            SELECT coalesce(sum(e.duration_minutes), 0)::integer
            FROM time_entries AS e
            WHERE e.user_id = u.id AND e.activity_type = 'focused'
        ) AS total_focus_time_minutes
    FROM unnest(p_users) AS u (id);
END;
REVOKE ALL ON FUNCTION user_counters(uuid[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION user_counters(uuid[]) IS 'The counters of user_stats, counted from scratch.';
