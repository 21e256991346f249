-- The examples of docs/chatvrm.md, run by tests/test_docs.py on the demo data, each in a transaction that is
-- rolled back.
-- A user is auth0|maker1.

-- archive_old_conversations, as a service
SELECT chatvrm.archive_old_conversations(p_older_than => interval '3 months') AS archived;

-- authenticate_api_key, as a service
-- The first line stands for the user who made the key that a program sends.
SELECT set_config('request.jwt.claims', '{"sub": "auth0|maker1"}', TRUE);
SELECT
    a.user_id,
    a.scopes
FROM chatvrm.create_api_key(p_name => 'My Discord bot', p_scopes => ARRAY['characters:read', 'chat']) AS k
CROSS JOIN chatvrm.authenticate_api_key(p_key => k.key) AS a;

-- backfill_character_analytics, as a service
INSERT INTO chatvrm.conversations (character_id, session_id, started_at)
SELECT
    c.id,
    'imported-1' AS session_id,
    now() - interval '2 years' AS started_at
FROM chatvrm.published_characters AS c
ORDER BY c.slug
LIMIT 1;
SELECT chatvrm.backfill_character_analytics() AS stored;

-- begin_conversation_earlier, as a service
SELECT chatvrm.begin_conversation_earlier(p_id => c.id, p_started_at => now() - interval '2 years')
FROM chatvrm.conversations AS c
ORDER BY c.started_at
LIMIT 1;
SELECT
    id,
    started_at
FROM chatvrm.conversations
ORDER BY started_at
LIMIT 1;

-- character_analytics_of, as a service
SELECT
    c.name,
    a.date,
    a.conversation_count,
    a.message_count,
    a.popular_topics
FROM chatvrm.character_analytics_of(p_from => (now() - interval '30 days')::date, p_to => now()::date) AS a
INNER JOIN chatvrm.characters AS c ON a.character_id = c.id
ORDER BY a.date DESC, c.name ASC;

-- check_query_embedding, as a user
SELECT
    extensions.vector_dims(q.embedding) AS dimensions,
    chatvrm.check_query_embedding(q.embedding) AS accepted
FROM (SELECT array_fill(0.1, ARRAY[1536])::extensions.vector AS embedding) AS q;

-- claim_audio_for_cold_storage, as a service
INSERT INTO chatvrm.audio_files (storage_url, format, created_at)
VALUES ('s3://hot/hello.ogg', 'ogg', now() - interval '40 days');
SELECT
    id,
    storage_url,
    claimed_until
FROM chatvrm.claim_audio_for_cold_storage(p_limit => 10);

-- create_api_key, as a user
SELECT
    id,
    key
FROM chatvrm.create_api_key(
    p_name => 'My Discord bot',
    p_scopes => ARRAY['characters:read', 'chat'],
    p_expires_at => now() + interval '90 days'
);

-- create_message_partition, as a service
SELECT chatvrm.create_message_partition(p_month => (now() + interval '1 year')::date) AS made;

-- create_message_partitions, as a service
SELECT chatvrm.create_message_partitions(p_months_ahead => 6) AS made;

-- current_user_id, as a user
SELECT
    id,
    name,
    subscription_tier
FROM chatvrm.users
WHERE id = chatvrm.current_user_id();

-- get_conversation_messages, as a user
SELECT
    m.role,
    m.content,
    m.created_at
FROM chatvrm.get_conversation_messages(
    p_conversation_id => (
        SELECT c.id
        FROM chatvrm.conversations AS c
        ORDER BY c.started_at DESC
        LIMIT 1
    ),
    p_limit => 10,
    p_before => now()
) AS m;

-- mark_audio_cold, as a service
INSERT INTO chatvrm.audio_files (storage_url, format, created_at)
VALUES ('s3://hot/hello.ogg', 'ogg', now() - interval '40 days');
SELECT
    m.id,
    m.storage_url,
    m.cold_at
FROM chatvrm.claim_audio_for_cold_storage(p_limit => 1) AS f
CROSS JOIN chatvrm.mark_audio_cold(p_id => f.id, p_storage_url => 's3://cold/' || f.id) AS m;

-- refresh_character_counters, as a service
INSERT INTO chatvrm.conversations (character_id, session_id)
SELECT
    c.id,
    'visitor-of-today' AS session_id
FROM chatvrm.published_characters AS c
ORDER BY c.slug
LIMIT 1;
SELECT chatvrm.refresh_character_counters() AS refreshed;

-- refresh_character_stats, as a service
SELECT chatvrm.refresh_character_stats();

-- refresh_message_counts, as a service
INSERT INTO chatvrm.messages (conversation_id, role, content)
SELECT
    c.id,
    'assistant' AS role,
    'Long, and full of weather. And yours?' AS content
FROM chatvrm.conversations AS c
WHERE c.status = 'active'
ORDER BY c.started_at DESC
LIMIT 1;
SELECT chatvrm.refresh_message_counts() AS refreshed;

-- revoke_api_key, as a user
SELECT id FROM chatvrm.create_api_key(p_name => 'Old laptop', p_scopes => ARRAY['chat']);
SELECT chatvrm.revoke_api_key(p_id => k.id)
FROM chatvrm.api_keys_public AS k
WHERE k.name = 'Old laptop';
SELECT
    name,
    is_active
FROM chatvrm.api_keys_public
WHERE name = 'Old laptop';

-- roll_up_character_analytics, as a service
INSERT INTO chatvrm.conversations (character_id, session_id, started_at)
SELECT
    c.id,
    'visitor-of-yesterday' AS session_id,
    now() - interval '24 hours' AS started_at
FROM chatvrm.published_characters AS c
ORDER BY c.slug
LIMIT 1;
SELECT chatvrm.roll_up_character_analytics() AS stored;

-- search_character_knowledge, as a user
SELECT
    s.filename,
    s.content,
    s.similarity
FROM chatvrm.search_character_knowledge(
    p_character_id => (
        SELECT c.id
        FROM chatvrm.characters AS c
        ORDER BY c.created_at
        LIMIT 1
    ),
    query_embedding => (
        SELECT d.embedding
        FROM chatvrm.document_chunks AS d
        ORDER BY d.chunk_index
        LIMIT 1
    ),
    match_count => 3
) AS s;

-- search_characters, as a visitor
SELECT
    name,
    slug,
    average_rating
FROM chatvrm.search_characters(p_query => 'captain or owl', p_limit => 5);

-- search_documents, as a user
SELECT
    filename,
    status,
    uploaded_at
FROM chatvrm.search_documents(p_query => 'motorboats -submarine', p_limit => 10);

-- store_character_analytics, as a service
-- After ratings that came late.
UPDATE chatvrm.conversations
SET user_rating = 4
WHERE status = 'ended' AND user_rating IS NULL;
SELECT chatvrm.store_character_analytics(p_from => (now() - interval '1 year')::date, p_to => now()::date) AS stored;
