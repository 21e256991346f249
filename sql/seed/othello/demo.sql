-- Demo data: for each step of the setting companion.scale five people with their consent, 50 conversations and 1,000
-- messages of the last year, 60 activities in every state and 40 interventions. Does nothing where there is demo data
-- already.
DO $$
DECLARE
    c_scale CONSTANT integer := coalesce(nullif(current_setting('companion.scale', TRUE), ''), '1')::integer;
    c_user_words CONSTANT text[] := ARRAY[
        'Can you move my dentist appointment to next week?',
        'I slept badly again and I have the presentation at ten.',
        'Remind me to call my mother on Sunday.',
        'I would like to run three times a week, but it never works out.',
        'How much did I spend on restaurants this month?',
        'That was too much at once. One suggestion at a time, please.',
        'Yes, go ahead.',
        'I would rather decide this myself.',
        'What did we agree on about the evening screen time?',
        'I feel that I am always reacting to other people''s plans.'
    ];
    c_agent_words CONSTANT text[] := ARRAY[
        'I can propose two slots. Nothing is sent before you approve it.',
        'Your calendar is full until noon. Shall I suggest a shorter first meeting?',
        'Noted. I will bring it up on Sunday at eleven.',
        'You ran on both days on which you had laid out your shoes the evening before.',
        'You have not allowed me to look at your accounts, so I cannot say.',
        'Understood. I will hold the rest back until you ask.',
        'Done. You will find it in the log, with the reason.',
        'Of course. I will not bring it up again this week.'
    ];
BEGIN
    PERFORM set_config('work_mem', '256MB', TRUE);
    IF EXISTS (SELECT 1 FROM users WHERE email = 'person1@demo.example') THEN
        RAISE NOTICE 'demo data is there already';
        RETURN;
    END IF;

    -- People have the same external ids on every machine, so that examples can name them. Nobody knows a password of
    -- this hash.
    INSERT INTO users (external_id, email, username, password_hash, full_name, timezone, created_at, updated_at)
    SELECT
        md5('demo user ' || n)::uuid,
        format('person%s@demo.example', n),
        format('person%s', n),
        '$argon2id$v=19$m=65536,t=3,p=4$' || encode(sha256(int8send(n)), 'base64')
        || '$' || encode(sha256(uuid_send(gen_random_uuid())), 'base64'),
        (ARRAY['Ada', 'Ben', 'Chloe', 'Dinesh', 'Elif'])[1 + n % 5] || ' Demo',
        (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Europe/Istanbul'])[1 + n % 5],
        now() - interval '400 days',
        now() - interval '400 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    CREATE TEMPORARY TABLE demo_users ON COMMIT DROP AS
    SELECT
        u.id,
        row_number() OVER (ORDER BY u.id) AS n
    FROM users AS u
    WHERE u.email LIKE 'person%@demo.example';
    CREATE UNIQUE INDEX ON demo_users (n);
    ANALYZE demo_users;

    -- Consent grows from person to person; each change is in consent_logs.
    UPDATE consent_tiers AS ct
    SET
        tier_level = (ARRAY['passive', 'suggestive', 'active', 'autonomous'])[1 + (d.n + length(ct.scope)) % 4]::consent_tier_level,
        settings_data = CASE WHEN ct.scope = 'scheduling' THEN '{"quiet_hours": ["22:00", "07:00"]}'::jsonb END
    FROM demo_users AS d
    WHERE ct.user_id = d.id AND ct.scope IN ('global', 'scheduling', 'health', 'communication');

    INSERT INTO user_preferences (user_id, preference_key, preference_value, value_type, category, is_sensitive)
    SELECT d.id, p.key, p.value, p.value_type, p.category, p.is_sensitive
    FROM demo_users AS d
    CROSS JOIN (
        VALUES
        ('theme', 'dark', 'string', 'ui', FALSE),
        ('daily_nudges', '3', 'number', 'notifications', FALSE),
        ('share_insights', 'false', 'boolean', 'privacy', FALSE),
        ('emergency_contact', '{"name": "Robin", "relation": "sibling"}', 'json', 'privacy', TRUE)
    ) AS p (key, value, value_type, category, is_sensitive);

    INSERT INTO psychological_profiles (user_id, trait_data, behavior_patterns, confidence_scores, last_analyzed_at)
    SELECT
        d.id,
        jsonb_build_object(
            'openness', (40 + d.n * 7 % 50) / 100.0,
            'conscientiousness', (35 + d.n * 11 % 60) / 100.0,
            'extraversion', (20 + d.n * 13 % 70) / 100.0,
            'agreeableness', (45 + d.n * 17 % 50) / 100.0,
            'neuroticism', (15 + d.n * 19 % 60) / 100.0,
            'preferences', jsonb_build_object('communication_style', (ARRAY['direct', 'gentle'])[1 + d.n % 2])
        ),
        '{"sleep_schedule": {"avg_bedtime": "23:00", "avg_wake": "07:00", "consistency_score": 0.78}}',
        '{"openness": 0.8, "neuroticism": 0.6}',
        now() - interval '1 day' * (d.n % 14)
    FROM demo_users AS d;

    CREATE TEMPORARY TABLE demo_conversations ON COMMIT DROP AS
    SELECT
        d.id AS user_id,
        c.n,
        now() - interval '350 days' * ((c.n * 7919) % 1000) / 1000.0 AS created_at
    FROM generate_series(1, 50 * c_scale) AS c (n)
    INNER JOIN demo_users AS d ON d.n = 1 + c.n % (5 * c_scale);

    INSERT INTO conversations (user_id, title, is_archived, metadata, created_at, updated_at)
    SELECT
        c.user_id,
        (ARRAY['The week ahead', 'Sleep', 'Running again', 'Money', 'An evening off'])[1 + c.n % 5],
        c.created_at < now() - interval '180 days',
        jsonb_build_object('demo', c.n),
        c.created_at,
        c.created_at
    FROM demo_conversations AS c
    ORDER BY c.user_id, c.created_at;

    INSERT INTO messages (
        conversation_id, user_id, role, content, agent_name, reasoning_trace, token_count, created_at, updated_at
    )
    SELECT
        c.id,
        c.user_id,
        (ARRAY['assistant', 'user'])[1 + m % 2]::message_role,
        CASE
            WHEN m % 2 = 1 THEN c_user_words[1 + ((c.metadata ->> 'demo')::integer * 7 + m * 3) % cardinality(c_user_words)]
            ELSE c_agent_words[1 + ((c.metadata ->> 'demo')::integer * 5 + m * 3) % cardinality(c_agent_words)]
        END,
        CASE WHEN m % 2 = 0 THEN (ARRAY['FELLO', 'RealityAgent'])[1 + m % 4 / 2] END,
        CASE WHEN m % 10 = 0 THEN '{"sub_agents": [{"name": "ContextBuilder", "confidence": 0.91}]}'::jsonb END,
        20 + (c.id + m) % 60,
        c.created_at + m * interval '1 minute',
        c.created_at + m * interval '1 minute'
    FROM conversations AS c
    CROSS JOIN generate_series(1, 20) AS m
    WHERE c.metadata ? 'demo'
    ORDER BY c.id, m;

    -- Twelve for each person, of which the newest wait for an answer.
    INSERT INTO agent_activities (
        user_id, agent_name, activity_type, status, title, description, reasoning, consent_required,
        consent_tier_required, payload, created_at, updated_at
    )
    SELECT
        d.id,
        (ARRAY['FELLO', 'RealityAgent', 'Othello'])[1 + a % 3],
        CASE WHEN a % 4 = 0 THEN 'observation' ELSE 'suggestion' END::agent_activity_type,
        CASE
            WHEN a <= 3 THEN 'proposed'
            WHEN a <= 5 THEN 'pending_consent'
            WHEN a % 3 = 0 THEN 'executed'
            WHEN a % 3 = 1 THEN 'rejected'
            ELSE 'failed'
        END::agent_activity_status,
        (ARRAY['Move the 9 o''clock to 11', 'A walk after lunch', 'Answer Robin''s message', 'Screens off at ten'])[1 + a % 4],
        'Proposed from the pattern of the last two weeks.',
        'The calendar shows three late evenings in a row.',
        a % 2 = 0,
        (ARRAY['passive', 'suggestive', 'active'])[1 + a % 3]::consent_tier_level,
        jsonb_build_object('scope', (ARRAY['scheduling', 'health', 'communication', 'health'])[1 + a % 4]),
        now() - a * interval '1 day',
        now() - a * interval '1 day'
    FROM demo_users AS d
    CROSS JOIN generate_series(1, 12) AS a;

    INSERT INTO consent_logs (user_id, agent_activity_id, action, scope, reason, created_at)
    SELECT
        a.user_id,
        a.id,
        CASE WHEN a.status = 'rejected' THEN 'denied' ELSE 'approved' END::consent_action,
        a.scope,
        CASE WHEN a.status = 'rejected' THEN 'Not this week.' END,
        a.created_at + interval '10 minutes'
    FROM agent_activities AS a
    INNER JOIN demo_users AS d ON a.user_id = d.id
    WHERE a.consent_required AND a.status IN ('rejected', 'executed', 'failed')
    ORDER BY a.id;

    INSERT INTO ethical_validations (user_id, agent_activity_id, result, rules_applied, concerns, override_allowed, created_at)
    SELECT
        a.user_id,
        a.id,
        CASE WHEN a.status = 'failed' THEN 'blocked' WHEN a.id % 9 = 0 THEN 'flagged' ELSE 'passed' END::validation_result,
        '{consent_tier,harm_potential,privacy_boundary}',
        CASE WHEN a.status = 'failed' THEN '{privacy_boundary}'::text[] END,
        a.status = 'failed',
        a.created_at
    FROM agent_activities AS a
    INNER JOIN demo_users AS d ON a.user_id = d.id
    ORDER BY a.id;

    INSERT INTO interventions (
        user_id, agent_activity_id, category, status, title, message, scheduled_for, delivered_at, acknowledged_at,
        completed_at, user_feedback, effectiveness_score, created_at, updated_at
    )
    SELECT
        a.user_id,
        a.id,
        (ARRAY['routine', 'scheduling', 'health_nudge', 'communication'])[1 + i.n % 4]::intervention_category,
        i.status::intervention_status,
        a.title,
        'A small step for today: ' || lower(a.title COLLATE "default") || '.',
        i.at,
        CASE WHEN i.status <> 'scheduled' THEN i.at END,
        CASE WHEN i.status IN ('acknowledged', 'completed') THEN i.at + interval '2 minutes' END,
        CASE WHEN i.status = 'completed' THEN i.at + interval '1 hour' END,
        CASE WHEN i.status = 'completed' THEN 'That helped.' END,
        CASE WHEN i.status = 'completed' THEN 3 + i.n % 3 END,
        i.at - interval '1 day',
        i.at
    FROM (
        SELECT
            o.*,
            row_number() OVER (PARTITION BY o.user_id ORDER BY o.id) AS n
        FROM agent_activities AS o
    ) AS a
    INNER JOIN demo_users AS d ON a.user_id = d.id
    CROSS JOIN LATERAL (
        SELECT
            a.n,
            (ARRAY['scheduled', 'delivered', 'acknowledged', 'completed'])[1 + a.n % 4] AS status,
            now() + interval '1 hour' * CASE WHEN a.n % 4 = 0 THEN a.n ELSE -a.n * 20 END AS at
    ) AS i
    WHERE a.n <= 8;

    INSERT INTO session_logs (user_id, session_token, ip_address, user_agent, login_at, last_activity_at, rotated_at)
    SELECT
        d.id,
        encode(sha256(uuid_send(gen_random_uuid())), 'hex'),
        '192.0.2.1'::inet + d.n % 200,
        'Demo/1.0',
        now() - interval '3 days',
        now() - interval '1 hour',
        now() - interval '3 days'
    FROM demo_users AS d;
END;
$$;
