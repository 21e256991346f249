-- Demo data: for each step of the setting companion.scale five people with ten characters, fifty conversations with
-- 1,000 messages over a year, knowledge bases with 60 chunks, and what belongs to them. The first 1,000 chunks have
-- embeddings, made up so that those of one topic are similar. Does nothing where there is demo data already.
DO $$
DECLARE
    c_scale CONSTANT integer := coalesce(nullif(current_setting('companion.scale', TRUE), ''), '1')::integer;
    c_names CONSTANT text[] := ARRAY['Luna', 'Captain Brine', 'Professor Owl', 'Mika', 'Old Gardener'];
    c_prompts CONSTANT text[] := ARRAY[
        'You are Luna, a calm listener who answers in two sentences and asks one question.',
        'You are a retired sea captain. Every answer has a story in it, most of them true.',
        'You are an owl who teaches physics to children and never says that a question is silly.',
        'You are Mika, who knows every bakery in town and judges people by their bread.',
        'You are an old gardener. You speak slowly and answer everything with plants.'
    ];
    c_user_words CONSTANT text[] := ARRAY[
        'Good evening! How was your day?',
        'Why is the sky dark at night if there are stars everywhere?',
        'I cannot sleep. Tell me something quiet.',
        'What would you plant on a balcony that gets sun until noon?'
    ];
    c_character_words CONSTANT text[] := ARRAY[
        'Long, and full of weather. And yours?',
        'A splendid question. Because most of their light has not arrived yet, and some never will.',
        'There was once a lighthouse that nobody had seen in daylight.',
        'Lettuce, chives, and one tomato, for hope.'
    ];
    c_facts CONSTANT text[] := ARRAY[
        'Luna grew up by a lake and is afraid of motorboats.',
        'The captain''s ship was called the Second Thought.',
        'The owl''s favourite planet is Neptune, because nobody asks about it.',
        'Mika has never eaten a croissant after ten in the morning.'
    ];
BEGIN
    IF EXISTS (SELECT 1 FROM users WHERE email = 'maker1@demo.example') THEN
        RAISE NOTICE 'demo data is there already';
        RETURN;
    END IF;
    -- The past year, so that no message waits in the default partition.
    FOR i IN 1..12 LOOP
        PERFORM create_message_partition((now() AT TIME ZONE 'UTC' - make_interval(months => i))::date);
    END LOOP;

    -- People and characters have the same ids on every machine, so that examples can name them.
    INSERT INTO users (id, email, auth0_id, name, email_verified, created_at, updated_at)
    SELECT
        md5('demo maker ' || n)::uuid,
        format('maker%s@demo.example', n),
        'auth0|maker' || n,
        (ARRAY['Ada', 'Ben', 'Chloe', 'Dinesh', 'Elif'])[1 + n % 5],
        TRUE,
        now() - interval '400 days',
        now() - interval '400 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    INSERT INTO subscriptions (
        user_id, stripe_subscription_id, status, tier, monthly_price, current_period_start, current_period_end
    )
    SELECT
        md5('demo maker ' || n)::uuid, 'sub_demo_' || n, 'active', 'creator', 9.90, now() - interval '10 days',
        now() + interval '20 days'
    FROM generate_series(1, 5 * c_scale, 2) AS n;

    INSERT INTO vrm_models (id, name, category, file_url, polygon_count, file_size_mb, is_public, is_approved, tags)
    SELECT
        md5('demo model ' || n)::uuid, (ARRAY['Lake', 'Harbour', 'Library'])[n], 'human',
        format('https://models.demo.example/%s.vrm', n), 20000 + n, 8.5, TRUE, TRUE, ARRAY['demo']
    FROM generate_series(1, 3) AS n
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO characters (
        id, user_id, name, slug, description, system_prompt, status, character_type, vrm_model_id, created_at,
        updated_at, published_at
    )
    SELECT
        md5('demo character ' || n)::uuid,
        md5('demo maker ' || (1 + n % (5 * c_scale)))::uuid,
        c_names[1 + n % 5],
        'demo-character-' || n,
        'Made for the demo.',
        c_prompts[1 + n % 5],
        CASE WHEN n % 5 = 0 THEN 'draft' ELSE 'published' END,
        (ARRAY['agentic', 'scripted'])[1 + n % 2],
        md5('demo model ' || (1 + n % 3))::uuid,
        now() - interval '390 days',
        now() - interval '390 days',
        CASE WHEN n % 5 <> 0 THEN now() - interval '380 days' END
    FROM generate_series(1, 10 * c_scale) AS n;

    INSERT INTO voice_configs (character_id, provider, voice_id, speed, pitch)
    SELECT
        md5('demo character ' || n)::uuid,
        'demo-speech',
        'voice-' || n % 7,
        1 + n % 3 * 0.1,
        n % 5 - 2
    FROM generate_series(1, 10 * c_scale) AS n;

    INSERT INTO knowledge_bases (id, user_id, character_id, name, created_at, updated_at)
    SELECT
        md5('demo facts ' || n)::uuid,
        md5('demo maker ' || (1 + n % (5 * c_scale)))::uuid,
        md5('demo character ' || n)::uuid,
        'Facts about ' || c_names[1 + n % 5],
        now() - interval '385 days',
        now() - interval '385 days'
    FROM generate_series(1, 10 * c_scale) AS n;

    INSERT INTO documents (id, knowledge_base_id, filename, file_type, content, status, uploaded_at)
    SELECT
        md5('demo document ' || n)::uuid,
        md5('demo facts ' || n)::uuid,
        'biography.md',
        'md',
        array_to_string(c_facts, E'\n\n'),
        CASE WHEN n % 7 = 0 THEN 'pending' ELSE 'completed' END,
        now() - interval '384 days'
    FROM generate_series(1, 10 * c_scale) AS n;

    -- Pseudo-random, but the same everywhere: the fractions of a sine, from -0.5 to 0.5. Embeddings lean towards their
    -- topic's.
    INSERT INTO document_chunks (document_id, chunk_index, content, embedding)
    SELECT
        md5('demo document ' || n)::uuid,
        i,
        c_facts[1 + (n + i) % 4],
        CASE WHEN n <= 166 THEN (
            SELECT
                array_agg(
                    0.8 * (sin(d * (1 + i % 4) * 12.9898) * 43758.5453 - floor(sin(d * (1 + i % 4) * 12.9898) * 43758.5453) - 0.5)
                    + 0.4 * (sin(d * (n * 6 + i + 7) * 78.233) * 43758.5453 - floor(sin(d * (n * 6 + i + 7) * 78.233) * 43758.5453) - 0.5)
                )
            FROM generate_series(1, 1536) AS d
        )::real[]::vector(1536) END
    FROM generate_series(1, 10 * c_scale) AS n
    CROSS JOIN generate_series(0, 5) AS i;

    -- Every third talk is a visitor's; those that are over end after their messages are in.
    INSERT INTO conversations (id, character_id, user_id, session_id, started_at)
    SELECT
        md5('demo talk ' || n)::uuid,
        md5('demo character ' || (1 + n % 4 + 5 * (n / 4 % (2 * c_scale))))::uuid,
        CASE WHEN n % 3 <> 0 THEN md5('demo maker ' || (1 + n % (5 * c_scale)))::uuid END,
        CASE WHEN n % 3 = 0 THEN 'visitor-' || n END,
        now() - interval '350 days' * ((n * 7919) % 1000) / 1000.0
    FROM generate_series(1, 50 * c_scale) AS n;

    INSERT INTO messages (conversation_id, role, content, emotion, metadata, created_at, token_count)
    SELECT
        c.id,
        (ARRAY['assistant', 'user'])[1 + m % 2],
        CASE
            WHEN m % 2 = 1 THEN c_user_words[1 + (n * 7 + m) % cardinality(c_user_words)]
            ELSE c_character_words[1 + (n * 7 + m - 1) % cardinality(c_character_words)]
        END,
        CASE WHEN m % 2 = 0 THEN (ARRAY['happy', 'calm', 'curious'])[1 + (n + m) % 3] END,
        CASE WHEN m = 1 THEN jsonb_build_object('topics', ARRAY[(ARRAY['sleep', 'stars', 'garden'])[1 + n % 3]]) ELSE '{}' END,
        c.started_at + m * interval '1 minute',
        20 + (n + m) % 60
    FROM generate_series(1, 50 * c_scale) AS n
    INNER JOIN conversations AS c ON c.id = md5('demo talk ' || n)::uuid
    CROSS JOIN generate_series(1, 20) AS m;

    UPDATE conversations AS c
    SET
        status = 'ended',
        ended_at = c.started_at + interval '25 minutes',
        user_rating = CASE WHEN n / 4 % 3 <> 0 THEN 3 + n % 3 END
    FROM generate_series(1, 50 * c_scale) AS n
    WHERE c.id = md5('demo talk ' || n)::uuid AND n % 10 <> 0;

    PERFORM refresh_character_counters();
    PERFORM refresh_message_counts();
    PERFORM backfill_character_analytics();
    PERFORM refresh_character_stats();
END;
$$;
