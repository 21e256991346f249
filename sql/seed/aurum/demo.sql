-- Demo data: for each step of the setting companion.scale five people with three pillars, five areas, eight projects
-- and 60 tasks each, journals, reflections, conversations, time entries and insights. The first rows of each kind have
-- embeddings, made up so that those of one topic are similar. Does nothing where there is demo data already.
DO $$
DECLARE
    c_scale CONSTANT integer := coalesce(nullif(current_setting('companion.scale', TRUE), ''), '1')::integer;
    c_pillars CONSTANT text[] := ARRAY['Health', 'Work', 'Family'];
    c_areas CONSTANT text[] := ARRAY['Running', 'Sleep', 'Craft', 'Team', 'Home'];
    c_projects CONSTANT text[] := ARRAY[
        'Half marathon', 'Asleep by eleven', 'Learn joinery', 'Hire a second engineer', 'New kitchen', 'Winter base',
        'Write the handbook', 'Allotment'
    ];
    c_tasks CONSTANT text[] := ARRAY[
        'Run ten kilometres', 'Buy shoes', 'Book the physio', 'Put the phone in the hall', 'Cut the first dovetail',
        'Draft the advert', 'Call three references', 'Measure the worktop', 'Compare two quotes', 'Dig the second bed'
    ];
    c_whys CONSTANT text[] := ARRAY[
        'Slowly, so that it can be done again on Thursday.',
        'The old ones have carried me long enough.',
        'The left knee says so.',
        'Nothing good has ever come from it after ten.',
        'In pine, before the oak is spoiled.',
        'Short, honest about the pay.'
    ];
    c_days CONSTANT text[] := ARRAY[
        'Ran before work and was kinder to everybody for it.',
        'Slept badly, wrote little, cooked well.',
        'The team found the fault without me, which is the best that can be said of a lead.',
        'Two hours at the bench. The joint nearly closes.',
        'A long walk with the children; nobody asked for a screen.'
    ];
    c_questions CONSTANT text[] := ARRAY[
        'What should I do first today?', 'Why do I keep putting off the call?', 'How did last week go?'
    ];
    c_answers CONSTANT text[] := ARRAY[
        'The run: it is short, and the rest goes better after it.',
        'Three times you moved it to the afternoon. Put it at nine.',
        'Two of three pillars had a good week; Family had no hour of yours.'
    ];
    v_entity text;
    v_source record;
BEGIN
    PERFORM set_config('work_mem', '256MB', TRUE);
    IF EXISTS (SELECT 1 FROM user_profiles WHERE username = 'planner1') THEN
        RAISE NOTICE 'demo data is there already';
        RETURN;
    END IF;

    -- Pseudo-random, but the same everywhere: the fractions of a sine, from -0.5 to 0.5. Embeddings lean towards their
    -- topic's.
    CREATE TEMPORARY TABLE demo_embeddings ON COMMIT DROP AS
    SELECT
        n AS place,
        ARRAY(
            SELECT
                0.8 * (sin(i * (1 + n % 6) * 12.9898) * 43758.5453
                - floor(sin(i * (1 + n % 6) * 12.9898) * 43758.5453) - 0.5)
                + 0.4 * (sin(i * (n + 7) * 78.233) * 43758.5453 - floor(sin(i * (n + 7) * 78.233) * 43758.5453) - 0.5)
            FROM generate_series(1, 1536) AS i
        )::real[]::vector(1536) AS embedding
    FROM generate_series(1, 100) AS n;
    CREATE UNIQUE INDEX ON demo_embeddings (place);
    ANALYZE demo_embeddings;

    -- People have the same ids on every machine, so that examples can name them. Where auth belongs to somebody else, a
    -- row needs no more than id and e-mail.
    INSERT INTO auth.users (id, email)
    SELECT md5('demo planner ' || n)::uuid, format('planner%s@demo.example', n)
    FROM generate_series(1, 5 * c_scale) AS n
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO user_profiles (id, username, first_name, timezone, user_tier, level, total_points, current_streak)
    SELECT
        md5('demo planner ' || n)::uuid,
        'planner' || n,
        (ARRAY['Ada', 'Ben', 'Chloe', 'Dinesh', 'Elif'])[1 + n % 5],
        'UTC',
        (ARRAY['standard', 'premium', 'standard'])[1 + n % 3],
        1 + n % 7,
        n * 137 % 5000,
        n % 12
    FROM generate_series(1, 5 * c_scale) AS n;

    INSERT INTO pillars (id, user_id, name, sort_order, time_allocation_percentage, created_at)
    SELECT
        md5(format('demo pillar %s %s', n, p))::uuid,
        md5('demo planner ' || n)::uuid,
        c_pillars[p],
        p,
        (ARRAY[25, 50, 25])[p],
        now() - interval '200 days'
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 3) AS p;

    -- The fifth area stands alone.
    INSERT INTO areas (id, user_id, pillar_id, name, importance, sort_order, created_at)
    SELECT
        md5(format('demo area %s %s', n, a))::uuid,
        md5('demo planner ' || n)::uuid,
        CASE WHEN a < 5 THEN md5(format('demo pillar %s %s', n, 1 + (a - 1) / 2))::uuid END,
        c_areas[a],
        1 + a % 5,
        a,
        now() - interval '200 days'
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 5) AS a;

    INSERT INTO projects (
        id, user_id, area_id, name, description, status, priority, completion_percentage, deadline, created_at
    )
    SELECT
        md5(format('demo project %s %s', n, p))::uuid,
        md5('demo planner ' || n)::uuid,
        md5(format('demo area %s %s', n, 1 + p % 5))::uuid,
        c_projects[p],
        'Until ' || (ARRAY['spring', 'summer', 'the end of the year'])[1 + p % 3],
        (ARRAY['in_progress', 'not_started', 'on_hold', 'completed'])[1 + p % 4],
        (ARRAY['low', 'medium', 'high'])[1 + p % 3],
        CASE WHEN p % 4 = 3 THEN 100 ELSE p * 10 END,
        now() + interval '10 days' * p,
        now() - interval '180 days'
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 8) AS p;

    INSERT INTO tasks (
        id, user_id, project_id, name, description, status, priority, due_date, completed_at, estimated_duration,
        actual_duration, hrm_priority_score, description_embedding, name_embedding, embedding_updated_at, created_at
    )
    SELECT
        md5(format('demo task %s %s', n, t))::uuid,
        md5('demo planner ' || n)::uuid,
        md5(format('demo project %s %s', n, 1 + t % 8))::uuid,
        c_tasks[1 + t % 10],
        c_whys[1 + t % 6],
        (ARRAY['todo', 'completed', 'in_progress', 'completed', 'review'])[1 + t % 5],
        (ARRAY['low', 'medium', 'high', 'urgent'])[1 + t % 4],
        now() + interval '1 day' * (t - 30),
        CASE WHEN t % 5 IN (1, 3) THEN now() - interval '1 day' * (t % 60) END,
        15 + t % 4 * 15,
        CASE WHEN t % 5 IN (1, 3) THEN 10 + t % 7 * 10 END,
        (t % 10) / 10.0,
        e.embedding,
        e.embedding,
        CASE WHEN e.place IS NOT NULL THEN now() END,
        now() - interval '1 day' * (60 + t % 60)
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 60) AS t
    LEFT JOIN demo_embeddings AS e ON n <= 5 AND e.place = t;

    UPDATE tasks AS t
    SET
        parent_task_id = md5(format('demo task %s 1', n))::uuid,
        dependency_task_ids = ARRAY[md5(format('demo task %s 2', n))::uuid]
    FROM generate_series(1, 5 * c_scale) AS n
    WHERE t.id = md5(format('demo task %s 9', n))::uuid;

    INSERT INTO journal_entries (
        user_id, title, content, mood, energy_level, tags, word_count, content_embedding, title_embedding,
        embedding_updated_at, created_at
    )
    SELECT
        md5('demo planner ' || n)::uuid,
        'Day ' || j,
        c_days[1 + j % 5],
        (ARRAY['grateful', 'reflective', 'motivated', 'peaceful'])[1 + j % 4],
        (ARRAY['low', 'moderate', 'high'])[1 + j % 3],
        ARRAY['evening'],
        cardinality(string_to_array(c_days[1 + j % 5], ' ')),
        e.embedding,
        e.embedding,
        CASE WHEN e.place IS NOT NULL THEN now() END,
        now() - interval '1 day' * j
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 30) AS j
    LEFT JOIN demo_embeddings AS e ON n <= 5 AND e.place = j;

    INSERT INTO daily_reflections (
        user_id, reflection_date, reflection_text, completion_score, mood, energy_level, tasks_completed_count,
        alignment_score, reflection_embedding, embedding_updated_at, created_at
    )
    SELECT
        md5('demo planner ' || n)::uuid,
        current_date - r,
        c_days[1 + (r + 2) % 5],
        1 + r % 10,
        (ARRAY['happy', 'content', 'neutral', 'overwhelmed'])[1 + r % 4],
        1 + r * 3 % 10,
        r % 5,
        (r % 10) / 10.0,
        e.embedding,
        CASE WHEN e.place IS NOT NULL THEN now() END,
        now() - interval '1 day' * r
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 14) AS r
    LEFT JOIN demo_embeddings AS e ON n <= 5 AND e.place = r;

    INSERT INTO ai_conversation_memory (
        user_id, conversation_date, session_id, message_role, message_content, tokens_used, model_used, was_helpful,
        message_embedding, embedding_updated_at, created_at
    )
    SELECT
        md5('demo planner ' || n)::uuid,
        current_date - m / 4,
        md5(format('demo session %s %s', n, m / 4))::uuid,
        (ARRAY['user', 'assistant'])[1 + m % 2],
        CASE WHEN m % 2 = 0 THEN c_questions[1 + m / 2 % 3] ELSE c_answers[1 + m / 2 % 3] END,
        20 + m * 7 % 200,
        CASE WHEN m % 2 = 1 THEN 'demo-model' END,
        CASE WHEN m % 4 = 1 THEN m % 8 <> 1 END,
        e.embedding,
        CASE WHEN e.place IS NOT NULL THEN now() END,
        now() - interval '1 day' * (m / 4) - interval '1 minute' * (40 - m)
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(0, 39) AS m
    LEFT JOIN demo_embeddings AS e ON n <= 5 AND e.place = 1 + m;

    INSERT INTO time_entries (
        user_id, entity_type, entity_id, start_time, end_time, activity_type, energy_level, productivity_rating
    )
    SELECT
        md5('demo planner ' || n)::uuid,
        'task',
        md5(format('demo task %s %s', n, t))::uuid,
        s.at,
        s.at + interval '1 minute' * (20 + t % 4 * 15),
        (ARRAY['focused', 'meeting', 'planning', 'focused'])[1 + t % 4],
        1 + t % 10,
        1 + t * 3 % 10
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 20) AS t
    CROSS JOIN LATERAL (SELECT now() - interval '1 day' * (t / 2) - interval '3 hours' AS at) AS s;

    INSERT INTO insights (
        user_id, entity_type, entity_id, insight_type, title, summary, detailed_reasoning, confidence_score,
        impact_score, expires_at
    )
    SELECT
        md5('demo planner ' || n)::uuid,
        (ARRAY['task', 'pillar', 'global'])[i],
        (ARRAY[md5(format('demo task %s 1', n)), md5(format('demo pillar %s 3', n)), NULL])[i]::uuid,
        (ARRAY['priority_reasoning', 'time_allocation', 'pattern_recognition'])[i],
        (ARRAY['Run first', 'Family comes short', 'Mornings work'])[i],
        (ARRAY[
            'The rest of the day goes better after it.',
            'One hour in two weeks.',
            'Nine in ten tasks done before noon stay done.'
        ])[i],
        '{"steps": ["compared the last four weeks"]}',
        0.6 + i * 0.1,
        0.5,
        now() + interval '30 days'
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 3) AS i;

    INSERT INTO user_behavior_patterns (user_id, pattern_type, pattern_data, confidence_score, sample_size, valid_until)
    SELECT
        md5('demo planner ' || n)::uuid,
        'peak_productivity_hours',
        '{"hours": [9, 10, 11]}',
        0.8,
        40 + n % 20,
        now() + interval '60 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    FOREACH v_entity IN ARRAY ARRAY['journal_entry', 'task', 'daily_reflection', 'conversation'] LOOP
        v_source := embedding_source(v_entity);
        EXECUTE format(
            'UPDATE %I AS r SET embedding_hash = embedding_text_hash(%s) WHERE r.%I IS NOT NULL',
            v_source.source_table, v_source.texts, v_source.columns[1]
        );
    END LOOP;
    PERFORM refresh_user_stats();
    PERFORM refresh_all_statistics();
    PERFORM refresh_hierarchy_view();
END;
$$;
