-- Demo data: three apps with their knowledge and personalities, and for each step of the setting companion.scale five
-- people, 50 conversations and 1,000 messages of the last year. Does nothing where there is demo data already.
DO $$
DECLARE
    c_scale CONSTANT integer := coalesce(nullif(current_setting('companion.scale', TRUE), ''), '1')::integer;
    c_user_words CONSTANT text[] := ARRAY[
        'I keep putting off the conversation we talked about.',
        'Yesterday went better than I had feared.',
        'How do I say no without feeling guilty?',
        'I have been thinking about what you asked me last time.',
        'Honestly, I am not sure what I want.',
        'My week was full, and I skipped the exercise twice.',
        'I wrote the letter, but I have not sent it.',
        'Why do I always compare myself with others?',
        'We argued again about the same small thing.',
        'I noticed the pattern this morning and stopped in time.'
    ];
    c_coach_words CONSTANT text[] := ARRAY[
        'That took courage. What made the difference this time?',
        'Let us look at the smallest step that would still count.',
        'It sounds as if two wishes pull in different directions. Which one has been quieter lately?',
        'You do not have to decide today. What would you like to know before you do?',
        'Noticing it is the skill; stopping is the practice. Both grow with use.',
        'If a friend told you this, what would you answer?',
        'Let us put it into one sentence that you could say out loud.',
        'What were you hoping to hear in that moment?'
    ];
    v_apps uuid[];
BEGIN
    PERFORM set_config('work_mem', '256MB', TRUE);
    IF EXISTS (SELECT 1 FROM users WHERE email = 'person1@demo.example') THEN
        RAISE NOTICE 'demo data is there already';
        RETURN;
    END IF;

    INSERT INTO personality_schemas (schema_id, version, layer, created_by, schema)
    VALUES (
        'core_hugo', '1.0.0', 'base', 'demo',
        '{"tone": "warm", "focus": ["cognitive_clarity", "empathy", "action_orientation"],
          "constraints": ["no_medical_advice", "no_financial_advice"],
          "examples": [{"situation": "The user is afraid of being turned down",
                        "response": "That fear makes sense. What would being honest look like here?"}],
          "voice_characteristics": {"formality": 0.3, "empathy": 0.9, "directness": 0.7}}'
    );
    INSERT INTO personality_schemas (schema_id, version, layer, parent_schema_id, created_by, schema)
    SELECT o.schema_id, '1.0.0', 'overlay', base.id, 'demo', base.schema || jsonb_build_object('tone', o.tone)
    FROM personality_schemas AS base
    CROSS JOIN (
        VALUES ('matchmaker', 'warm'), ('career_guide', 'professional'), ('health_companion', 'collaborative')
    ) AS o (schema_id, tone)
    WHERE base.schema_id = 'core_hugo';
    UPDATE personality_schemas SET status = 'testing' WHERE created_by = 'demo';
    UPDATE personality_schemas SET status = 'active', rollout_percentage = 100 WHERE created_by = 'demo';

    INSERT INTO knowledge_bases (kb_id, title, app_ids, version)
    VALUES
    ('intimacy_code_v1', 'The Intimacy Code', '{hugo_matchmaker}', '1.0.0'),
    ('career_compass_v1', 'Career Compass', '{hugo_career}', '1.2.0'),
    ('steady_habits_v1', 'Steady Habits', '{hugo_health,hugo_career}', '1.0.1');
    INSERT INTO apps (app_id, display_name, domain, personality_schema_id, knowledge_base_ids, description)
    SELECT a.app_id, a.display_name, a.domain, ps.id, a.kb_ids::text[], a.description
    FROM (
        VALUES
        ('hugo_matchmaker', 'Hugo Matchmaker', 'dating', 'matchmaker', '{intimacy_code_v1}', 'For honest first steps.'),
        ('hugo_career', 'Hugo Career', 'career', 'career_guide', '{career_compass_v1,steady_habits_v1}', 'For work that fits.'),
        ('hugo_health', 'Hugo Health', 'health', 'health_companion', '{steady_habits_v1}', 'For habits that last.')
    ) AS a (app_id, display_name, domain, personality, kb_ids, description)
    INNER JOIN personality_schemas AS ps ON a.personality = ps.schema_id;
    v_apps := ARRAY(SELECT a.id FROM apps AS a WHERE a.app_id LIKE 'hugo\_%' ORDER BY a.app_id);

    INSERT INTO knowledge_entries (knowledge_base_id, title, content, category, tags, section_number)
    SELECT kb.id, e.title, e.content, e.category, e.tags::text[], e.section_number
    FROM (
        VALUES
        ('intimacy_code_v1', 1, 'principles', 'Authentic vulnerability', '{trust,honesty}',
            'Showing what is true, at a pace that both can bear, invites the other to do the same.'),
        ('intimacy_code_v1', 2, 'principles', 'Curiosity before judgement', '{listening}',
            'A question that wants to know opens more than the best argument. Ask before you conclude.'),
        ('intimacy_code_v1', 3, 'techniques', 'The pause before the answer', '{listening,conflict}',
            'Take one breath before replying. In that breath, ask what the other hopes to hear.'),
        ('intimacy_code_v1', 4, 'examples', 'After a rejection', '{rejection,fear}',
            'Fear of rejection shrinks when the worst case is said aloud: then it is one evening, not a verdict.'),
        ('career_compass_v1', 1, 'principles', 'Energy is information', '{energy,values}',
            'Note for two weeks which tasks give energy and which take it. The list is a map of what fits.'),
        ('career_compass_v1', 2, 'techniques', 'The salary conversation', '{negotiation}',
            'Name a figure with a reason, then be silent. Silence is the hardest and most useful part of negotiation.'),
        ('career_compass_v1', 3, 'examples', 'Leaving without burning bridges', '{change}',
            'She told her manager first, offered a handover, and asked for a reference while the work was fresh.'),
        ('steady_habits_v1', 1, 'principles', 'Small enough to start', '{habits}',
            'A habit begins with a step so small that there is no reason to skip it. Growth comes by itself.'),
        ('steady_habits_v1', 2, 'techniques', 'Anchor it', '{habits,routine}',
            'Tie the new habit to an old one: after the first coffee, two minutes of stretching.'),
        ('steady_habits_v1', 3, 'examples', 'A week of bad sleep', '{sleep,stress}',
            'He kept the bedtime and dropped the target. By Sunday the stress was lower and the sleep had returned.')
    ) AS e (kb_id, section_number, category, title, tags, content)
    INNER JOIN knowledge_bases AS kb ON e.kb_id = kb.kb_id;

    -- People have the same ids on every machine, so that examples can name them.
    INSERT INTO users (id, oriva_user_id, email, preferences, subscription_tier, data_retention_days, created_at)
    SELECT
        md5('demo user ' || n)::uuid,
        md5('demo oriva user ' || n)::uuid,
        format('person%s@demo.example', n),
        jsonb_build_object('notifications', n % 2 = 0, 'theme', (ARRAY['light', 'dark'])[1 + n % 2]),
        (ARRAY['free', 'free', 'free', 'premium', 'enterprise'])[1 + n % 5],
        (ARRAY[180, 365, 730])[1 + n % 3],
        now() - interval '400 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    INSERT INTO user_progress (user_id, app_id, progress_data, milestones_reached, current_focus_area, started_at)
    SELECT
        md5('demo user ' || n)::uuid,
        v_apps[1 + n % 3],
        jsonb_build_object('skill_levels', jsonb_build_object('communication', (n % 10) / 10.0)),
        (ARRAY['{}', '{first_conversation}', '{first_conversation,first_week}'])[1 + n % 3]::text[],
        (ARRAY['authentic_vulnerability', 'negotiation', 'routine'])[1 + n % 3],
        now() - interval '390 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    -- Ids rise with person and time, like the indexes that hold them: rows inserted in this order touch one page after
    -- the other, which takes a fifth off the time of a million messages.
    CREATE TEMPORARY TABLE demo_conversations ON COMMIT DROP AS
    SELECT
        overlay(gen_random_uuid()::text PLACING lpad(to_hex(c.place), 8, '0') FROM 1 FOR 8)::uuid AS id,
        c.user_id,
        c.app_id,
        c.created_at,
        c.n,
        c.place
    FROM (
        SELECT
            r.*,
            row_number() OVER (ORDER BY r.user_id, r.created_at) AS place
        FROM (
            SELECT
                md5('demo user ' || (1 + (n - 1) % (5 * c_scale)))::uuid AS user_id,
                v_apps[1 + (1 + (n - 1) % (5 * c_scale)) % 3] AS app_id,
                now() - interval '360 days' * random() AS created_at,
                n
            FROM generate_series(1, 50 * c_scale) AS n
        ) AS r
    ) AS c;

    INSERT INTO conversations (id, session_id, user_id, app_id, created_at, last_message_at)
    SELECT d.id, gen_random_uuid(), d.user_id, d.app_id, d.created_at, d.created_at
    FROM demo_conversations AS d
    ORDER BY d.place;

    INSERT INTO messages (
        conversation_id, user_id, app_id, role, content, model, confidence_score, generation_time_ms, tokens_used,
        created_at
    )
    SELECT
        d.id,
        d.user_id,
        d.app_id,
        CASE WHEN m % 2 = 1 THEN 'user' ELSE 'assistant' END,
        CASE
            WHEN m % 2 = 1 THEN c_user_words[1 + (d.n * 7 + m * 3) % cardinality(c_user_words)]
            ELSE c_coach_words[1 + (d.n * 5 + m * 3) % cardinality(c_coach_words)]
        END,
        CASE WHEN m % 2 = 0 THEN 'demo-model' END,
        CASE WHEN m % 2 = 0 THEN 0.70 + (d.n % 30) / 100.0 END,
        CASE WHEN m % 2 = 0 THEN 300 + (d.n * 13 + m) % 900 END,
        CASE WHEN m % 2 = 0 THEN 20 + (d.n + m) % 60 ELSE 0 END,
        d.created_at + m * interval '1 minute'
    FROM demo_conversations AS d
    CROSS JOIN generate_series(1, 20) AS m
    ORDER BY d.place, m;

    -- Most conversations have come to an end; what is older than 90 days waits for the archive job.
    UPDATE conversations AS c
    SET closed_at = d.created_at + interval '1 hour'
    FROM demo_conversations AS d
    WHERE d.id = c.id AND d.created_at < now() - interval '7 days' AND d.n % 10 < 8;

    INSERT INTO user_memories (user_id, app_id, conversation_id, memory_type, content, importance, created_at)
    SELECT
        d.user_id,
        d.app_id,
        d.id,
        (ARRAY['conversation_context', 'user_preference', 'milestone', 'insight'])[1 + d.n % 4],
        (ARRAY[
            'Has put off a difficult conversation and wants to have it.',
            'Prefers short answers and one question at a time.',
            'Said no at work for the first time without explaining it away.',
            'Compares themselves with others when they are tired.'
        ])[1 + d.n % 4],
        0.30 + (d.n % 7) / 10.0,
        d.created_at + interval '1 hour'
    FROM demo_conversations AS d
    WHERE d.n % 3 = 0;
END;
$$;
