-- Demo data: for each step of the setting companion.scale five people with a workspace and two projects, 50 memories,
-- 50 sessions with 1,000 messages, 10 documents with 60 chunks, tickets, messages and events. The first 1,000 memories
-- and chunks have embeddings, made up so that those of one topic are similar. Does nothing where there is demo data
-- already.
DO $$
DECLARE
    c_scale CONSTANT integer := coalesce(nullif(current_setting('companion.scale', TRUE), ''), '1')::integer;
    c_topics CONSTANT text[] := ARRAY['pricing', 'hiring', 'roadmap', 'writing', 'customers', 'funding'];
    c_memories CONSTANT text[] := ARRAY[
        'Wants to raise the price of the team plan before the summer, but not for existing customers.',
        'Looks for a second engineer who has worked on editors; the first interviews are in March.',
        'Has moved offline mode out of the next release to keep the date.',
        'Writes best in the morning and wants drafts to be shorter than a page.',
        'Robin at Northwind asked twice for single sign-on and would pay for it.',
        'Prefers slow growth to another round; the runway is fourteen months.'
    ];
    c_user_words CONSTANT text[] := ARRAY[
        'What did we decide about the price of the team plan?',
        'Help me think through the two candidates.',
        'I have an hour. What is the one thing to move forward today?',
        'Play devil''s advocate on dropping offline mode.',
        'Summarise what Robin has asked for since January.'
    ];
    c_partner_words CONSTANT text[] := ARRAY[
        'You wanted to raise it before the summer and leave existing customers as they are. Does that still hold?',
        'One is the safer choice for the editor, the other for the team in two years. Which risk can you carry?',
        'The pricing page is written and waits for a number. Everything else can wait until tomorrow.',
        'Three customers bought it for the train. Who tells them, and what do they get instead?',
        'Single sign-on, twice; an export of comments, once. The first with a budget.'
    ];
BEGIN
    PERFORM set_config('work_mem', '256MB', TRUE);
    IF EXISTS (SELECT 1 FROM workspaces WHERE owner_email = 'thinker1@demo.example') THEN
        RAISE NOTICE 'demo data is there already';
        RETURN;
    END IF;

    -- Pseudo-random, but the same everywhere: the fractions of a sine, from -0.5 to 0.5. Embeddings lean towards their
    -- topic's.
    CREATE TEMPORARY TABLE demo_embeddings ON COMMIT DROP AS
    SELECT
        n,
        ARRAY(
            SELECT
                0.8 * (sin(i * (1 + n % 6) * 12.9898) * 43758.5453 - floor(sin(i * (1 + n % 6) * 12.9898) * 43758.5453) - 0.5)
                + 0.4 * (sin(i * (n + 7) * 78.233) * 43758.5453 - floor(sin(i * (n + 7) * 78.233) * 43758.5453) - 0.5)
            FROM generate_series(1, 1536) AS i
        )::real[]::vector(1536) AS embedding
    FROM generate_series(1, least(1000, 60 * c_scale)) AS n;
    CREATE UNIQUE INDEX ON demo_embeddings (n);
    ANALYZE demo_embeddings;

    -- People have the same ids on every machine, so that examples can name them; Hugo's demo people are others. Where
    -- auth belongs to somebody else, a row needs no more than id and e-mail.
    INSERT INTO auth.users (id, email)
    SELECT md5('demo thinker ' || n)::uuid, format('thinker%s@demo.example', n)
    FROM generate_series(1, 5 * c_scale) AS n
    ON CONFLICT (id) DO NOTHING;

    INSERT INTO workspaces (id, name, owner_id, owner_email, subscription_status, created_at, updated_at)
    SELECT
        md5('demo workspace ' || n)::uuid,
        'Workspace of ' || (ARRAY['Ada', 'Ben', 'Chloe', 'Dinesh', 'Elif'])[1 + n % 5],
        md5('demo thinker ' || n)::uuid,
        format('thinker%s@demo.example', n),
        (ARRAY['free', 'pro', 'free'])[1 + n % 3],
        now() - interval '400 days',
        now() - interval '400 days'
    FROM generate_series(1, 5 * c_scale) AS n;

    INSERT INTO projects (id, name, description, workspace_id, owner_id, created_at, updated_at)
    SELECT
        md5(format('demo project %s %s', n, p))::uuid,
        (ARRAY['Launch', 'Book'])[p],
        (ARRAY['Version two of the editor, and what it costs.', 'Essays on thinking with machines.'])[p],
        md5('demo workspace ' || n)::uuid,
        md5('demo thinker ' || n)::uuid,
        now() - interval '390 days',
        now() - interval '390 days'
    FROM generate_series(1, 5 * c_scale) AS n
    CROSS JOIN generate_series(1, 2) AS p;

    INSERT INTO documents (
        id, user_id, project_id, filename, storage_path, file_type, file_size, processing_status, page_count,
        word_count, created_at
    )
    SELECT
        md5('demo document ' || n)::uuid,
        d.user_id,
        CASE WHEN n % 2 = 0 THEN md5(format('demo project %s 1', d.person))::uuid END,
        (ARRAY['pricing-research.pdf', 'interview-notes.md', 'roadmap.docx', 'letters.txt'])[1 + n % 4],
        format('%s/%s/original.%s', d.user_id, md5('demo document ' || n)::uuid, d.file_type),
        d.file_type,
        40000 + n * 977 % 900000,
        CASE WHEN n % 5 = 0 THEN 'pending' ELSE 'completed' END,
        CASE WHEN d.file_type = 'pdf' THEN 12 END,
        1800 + n * 31 % 4000,
        now() - interval '1 day' * (n % 300)
    FROM generate_series(1, 10 * c_scale) AS n
    CROSS JOIN LATERAL (
        SELECT
            1 + n % (5 * c_scale) AS person,
            md5('demo thinker ' || (1 + n % (5 * c_scale)))::uuid AS user_id,
            (ARRAY['pdf', 'md', 'docx', 'txt'])[1 + n % 4] AS file_type
    ) AS d;

    INSERT INTO chunks (document_id, user_id, content, embedding, chunk_index, page_number, metadata, token_count)
    SELECT
        d.id,
        d.user_id,
        format('%s, part %s: %s', d.filename, c, c_memories[1 + n.place % 6]),
        e.embedding,
        c,
        CASE WHEN d.file_type = 'pdf' THEN c + 1 END,
        jsonb_build_object('section_title', initcap(c_topics[1 + n.place % 6] COLLATE "C")),
        380 + n.place % 40
    FROM (
        SELECT
            o.*,
            row_number() OVER (ORDER BY o.id) AS place
        FROM documents AS o
        WHERE o.processing_status = 'completed'
    ) AS d
    CROSS JOIN generate_series(0, 5) AS c
    CROSS JOIN LATERAL (SELECT d.place::integer * 6 + c AS place) AS n
    LEFT JOIN demo_embeddings AS e ON n.place = e.n;

    INSERT INTO memories (
        user_id, project_id, content, embedding, tags, entities, importance, source_type, source_ref, created_at,
        updated_at
    )
    SELECT
        md5('demo thinker ' || d.person)::uuid,
        CASE WHEN d.n % 3 = 0 THEN md5(format('demo project %s 1', d.person))::uuid END,
        c_memories[1 + d.n % 6],
        e.embedding,
        ARRAY[c_topics[1 + d.n % 6]],
        CASE WHEN d.n % 6 = 4 THEN '{"people": ["Robin"], "companies": ["Northwind"]}' ELSE '{}' END::jsonb,
        0.3 + d.n % 7 / 10.0,
        (ARRAY['chat', CASE WHEN s.document_id IS NULL THEN 'chat' ELSE 'document' END, 'manual', 'chat'])[1 + d.n % 4],
        CASE WHEN s.document_id IS NOT NULL THEN jsonb_build_object('document_id', s.document_id) END,
        now() - interval '1 day' * (d.n % 200),
        now() - interval '1 day' * (d.n % 200)
    FROM (
        SELECT
            n,
            1 + (n / 6) % (5 * c_scale) AS person
        FROM generate_series(1, 50 * c_scale) AS n
    ) AS d
    CROSS JOIN LATERAL (
        -- A completed document of the same person, where there is one.
        SELECT
            CASE
                WHEN d.n % 4 = 1 AND d.person % 5 <> 1
                    THEN md5('demo document ' || (d.person - 1 + 5 * c_scale))::uuid
            END AS document_id
    ) AS s
    LEFT JOIN demo_embeddings AS e ON d.n = e.n;

    INSERT INTO chat_sessions (
        id, user_id, project_id, status, started_at, ended_at, context_metadata, created_at, updated_at
    )
    SELECT
        md5('demo session ' || n)::uuid,
        md5('demo thinker ' || (1 + n % (5 * c_scale)))::uuid,
        CASE WHEN n % 2 = 0 THEN md5(format('demo project %s 1', 1 + n % (5 * c_scale)))::uuid END,
        CASE WHEN n % 10 = 0 THEN 'active' ELSE 'completed' END,
        s.at,
        CASE WHEN n % 10 <> 0 THEN s.at + interval '40 minutes' END,
        jsonb_build_object('memories_count', n % 12, 'model', 'demo-model'),
        s.at,
        s.at + interval '20 minutes'
    FROM generate_series(1, 50 * c_scale) AS n
    CROSS JOIN LATERAL (SELECT now() - interval '350 days' * ((n * 7919) % 1000) / 1000.0 AS at) AS s;

    INSERT INTO session_messages (session_id, user_id, role, content, sequence_number, metadata, created_at)
    SELECT
        s.id,
        s.user_id,
        (ARRAY['assistant', 'user'])[1 + m % 2],
        CASE
            WHEN m % 2 = 1 THEN c_user_words[1 + (n * 7 + m) % cardinality(c_user_words)]
            ELSE c_partner_words[1 + (n * 7 + m - 1) % cardinality(c_partner_words)]
        END,
        m,
        CASE WHEN m % 2 = 0 THEN jsonb_build_object('tokens', 40 + (n + m) % 200, 'model', 'demo-model') ELSE '{}' END,
        s.started_at + m * interval '1 minute'
    FROM generate_series(1, 50 * c_scale) AS n
    INNER JOIN chat_sessions AS s ON s.id = md5('demo session ' || n)::uuid
    CROSS JOIN generate_series(1, 20) AS m
    ORDER BY s.user_id, s.id, m;

    INSERT INTO work_tickets (id, task, agent_type, status, error_message, project_id, owner_id, created_at)
    SELECT
        md5('demo ticket ' || n)::uuid,
        (ARRAY['Compare prices of five editors', 'Draft the announcement', 'Report on March'])[1 + n % 3],
        (ARRAY['research', 'content', 'reporting'])[1 + n % 3],
        (ARRAY['completed', 'pending', 'failed'])[1 + n % 3],
        CASE WHEN n % 3 = 2 THEN 'The source did not answer.' END,
        md5(format('demo project %s 1', 1 + n % (5 * c_scale)))::uuid,
        md5('demo thinker ' || (1 + n % (5 * c_scale)))::uuid,
        now() - interval '1 hour' * n
    FROM generate_series(1, 15 * c_scale) AS n;

    INSERT INTO work_outputs (title, output_type, content, ticket_id, owner_id)
    SELECT 'Prices at a glance', 'text', 'Four of five charge by seat; the median is 12.', t.id, t.owner_id
    FROM work_tickets AS t
    WHERE t.status = 'completed';

    INSERT INTO subscription_events (workspace_id, owner_id, event_type, ls_subscription_id, payload)
    SELECT w.id, w.owner_id, 'subscription_created', left(w.id::text, 8), jsonb_build_object('meta', jsonb_build_object('demo', w.id))
    FROM workspaces AS w
    WHERE w.subscription_status = 'pro';

    INSERT INTO scheduled_messages (
        workspace_id, owner_id, scheduled_for, message_type, subject, content, recipient_email, status
    )
    SELECT
        w.id,
        w.owner_id,
        now() + interval '1 day' * (m - 2),
        'weekly_digest',
        'Your week in thoughts',
        '{"highlights": 3}',
        w.owner_email,
        CASE WHEN m = 1 THEN 'sent' ELSE 'pending' END
    FROM workspaces AS w
    CROSS JOIN generate_series(1, 3) AS m;

    INSERT INTO email_delivery_log (scheduled_message_id, owner_id, recipient, subject, provider_message_id, status)
    SELECT s.id, s.owner_id, s.recipient_email, s.subject, 'demo-' || s.id, 'delivered'
    FROM scheduled_messages AS s
    WHERE s.status = 'sent';
END;
$$;
