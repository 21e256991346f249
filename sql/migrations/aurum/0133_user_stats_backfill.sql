-- depends: 0132_user_stats_triggers
-- transactional: false
-- Phase 5, migration. Counters are counted once; the triggers already keep them. A user's row is locked first: who is
-- just adding something waits for it, and comes on top of what is counted here.
DO $$
DECLARE
    v_ids uuid[];
    v_after uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        v_ids := ARRAY(SELECT u.id FROM auth.users AS u WHERE u.id > v_after ORDER BY u.id LIMIT 10);
        EXIT WHEN cardinality(v_ids) = 0;
        -- Others may share auth.users: a row for those who have anything here.
        INSERT INTO user_stats (user_id)
        SELECT v.id
        FROM unnest(v_ids) AS v (id)
        WHERE
            EXISTS (SELECT 1 FROM user_profiles AS r WHERE r.id = v.id)
            OR EXISTS (SELECT 1 FROM areas AS r WHERE r.user_id = v.id)
            OR EXISTS (SELECT 1 FROM journal_entries AS r WHERE r.user_id = v.id)
            OR EXISTS (SELECT 1 FROM ai_conversation_memory AS r WHERE r.user_id = v.id)
            OR EXISTS (SELECT 1 FROM insights AS r WHERE r.user_id = v.id)
        ORDER BY v.id
        ON CONFLICT (user_id) DO NOTHING;
        PERFORM FROM user_stats AS s WHERE s.user_id = ANY(v_ids) ORDER BY s.user_id FOR UPDATE;
        UPDATE user_stats AS s
        SET
            total_journal_entries = c.total_journal_entries,
            total_tasks = c.total_tasks,
            tasks_completed = c.tasks_completed,
            total_areas = c.total_areas,
            total_projects = c.total_projects,
            completed_projects = c.completed_projects,
            total_ai_interactions = c.total_ai_interactions,
            insights_generated = c.insights_generated,
            insights_applied = c.insights_applied,
            total_focus_time_minutes = c.total_focus_time_minutes
        FROM user_counters(v_ids) AS c
        WHERE
            s.user_id = c.user_id
            AND (
                s.total_journal_entries, s.total_tasks, s.tasks_completed, s.total_areas, s.total_projects,
                s.completed_projects, s.total_ai_interactions, s.insights_generated, s.insights_applied,
                s.total_focus_time_minutes
            ) IS DISTINCT FROM (
                c.total_journal_entries, c.total_tasks, c.tasks_completed, c.total_areas, c.total_projects,
                c.completed_projects, c.total_ai_interactions, c.insights_generated, c.insights_applied,
                c.total_focus_time_minutes
            );
        COMMIT;
        v_after := v_ids[cardinality(v_ids)];
    END LOOP;
END;
$$;
