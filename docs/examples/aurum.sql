-- The examples of docs/aurum.md, run by tests/test_docs.py on the demo data, each in a transaction that is rolled back.
-- A user is 13dca05f-52b2-7471-8f9b-eb3fa31fb22f.

-- acting_user, as a user
SELECT count(*) AS open_tasks
FROM aurum.tasks AS t
WHERE t.user_id = aurum.acting_user(NULL) AND NOT t.completed;

-- archive_old_conversations, as a service
SELECT aurum.archive_old_conversations(p_older_than => '7 days') AS archived_messages;

-- check_query_embedding, as a user
SELECT extensions.vector_dims(q.embedding) AS dimensions
FROM (SELECT array_fill(0.1, ARRAY[1536])::extensions.vector AS embedding) AS q
CROSS JOIN LATERAL aurum.check_query_embedding(q.embedding);

-- current_user_id, as a user
SELECT
    p.username,
    p.timezone
FROM aurum.user_profiles AS p
WHERE p.id = aurum.current_user_id();

-- data_quality_report, as a service
SELECT
    count(*) AS kinds_of_violation,
    coalesce(sum(r.found), 0) AS violations,
    string_agg(format('%s (%s)', r.violation, r.found), '; ') AS report
FROM aurum.data_quality_report() AS r;

-- embedding_source, as a user
SELECT
    s.source_table,
    s.columns
FROM aurum.embedding_source('task') AS s;

-- embedding_text_hash, as a service
SELECT
    t.name,
    t.embedding_hash = aurum.embedding_text_hash(ARRAY[t.description, t.name]) AS is_current
FROM aurum.tasks AS t
WHERE t.description_embedding IS NOT NULL
ORDER BY t.embedding_updated_at DESC, t.id ASC
LIMIT 3;

-- expire_insights, as a service
UPDATE aurum.insights AS i SET expires_at = now()
WHERE i.insight_type = 'time_allocation';
SELECT aurum.expire_insights() AS expired;

-- find_similar_journal_entries, as a user
SELECT
    s.title,
    s.mood,
    round(s.similarity::numeric, 2) AS similarity
FROM aurum.find_similar_journal_entries(
    query_embedding => (
        SELECT j.content_embedding FROM aurum.journal_entries AS j
        ORDER BY j.created_at DESC LIMIT 1
    ),
    match_count => 5
) AS s;

-- find_similar_tasks, as a user
SELECT
    s.name,
    s.status,
    s.due_date,
    round(s.similarity::numeric, 2) AS similarity
FROM aurum.find_similar_tasks(
    query_embedding => (
        SELECT j.content_embedding FROM aurum.journal_entries AS j
        ORDER BY j.created_at DESC LIMIT 1
    ),
    match_count => 5,
    include_completed => FALSE
) AS s;

-- is_working_hours, as a user
SELECT aurum.is_working_hours('{"start": "09:00", "end": "17:30"}') AS valid;

-- nearest_rows, as a user
SELECT
    t.name,
    round(n.similarity::numeric, 2) AS similarity
FROM (SELECT array_fill(0.1, ARRAY[1536])::extensions.vector AS embedding) AS q
CROSS JOIN LATERAL aurum.nearest_rows('task', q.embedding, aurum.current_user_id(), 5, p_open_only => TRUE) AS n
INNER JOIN aurum.tasks AS t ON n.id = t.id
ORDER BY n.similarity DESC;

-- prepare_statements, as a user
SELECT aurum.prepare_statements();
EXECUTE find_similar_tasks (array_fill(0.1, ARRAY[1536])::extensions.vector);

-- rag_search, as a user
SELECT
    s.entity_type,
    s.title,
    s.content,
    round(s.similarity::numeric, 2) AS similarity
FROM aurum.rag_search(
    query_embedding => (
        SELECT t.description_embedding FROM aurum.tasks AS t
        ORDER BY t.due_date LIMIT 1
    ),
    match_count => 10,
    date_range_days => 365
) AS s;

-- record_insight_feedback, as a user
SELECT
    f.title,
    f.user_feedback,
    f.application_count
FROM aurum.record_insight_feedback(
    id => (
        SELECT i.id FROM aurum.insights AS i
        WHERE i.is_active
        ORDER BY i.confidence_score DESC LIMIT 1
    ),
    feedback => 'accepted',
    details => '{"comment": "I keep mornings free from now on."}'
) AS f;

-- refresh_all_statistics, as a service
SELECT aurum.refresh_all_statistics(p_stat_date => current_date) AS rows_written;

-- refresh_hierarchy_view, as a service
SELECT clock_timestamp() AS refreshed_at
FROM aurum.refresh_hierarchy_view();

-- refresh_user_statistics, as a user
SELECT
    s.stat_date,
    s.task_stats ->> 'completed_in_period' AS completed_tasks,
    s.time_allocation ->> 'total' AS minutes,
    s.productivity_metrics ->> 'average_energy' AS average_energy
FROM aurum.refresh_user_statistics(p_stat_date => current_date, p_stat_type => 'monthly') AS s;

-- refresh_user_stats, as a service
SELECT aurum.refresh_user_stats() AS refreshed;

-- refuse_parent, as a user
SELECT coalesce(
    (
        SELECT p.name FROM aurum.pillars AS p
        WHERE p.user_id = aurum.current_user_id()
        ORDER BY p.sort_order LIMIT 1
    ),
    aurum.refuse_parent(
        p_constraint => 'areas_pillar_id_fkey', p_table => 'areas', p_parent => 'pillars', p_schema => 'aurum'
    )::text
) AS pillar;

-- search_conversation_memory, as a user
SELECT
    m.conversation_date,
    m.message_role,
    m.message_content,
    round(m.similarity::numeric, 2) AS similarity
FROM aurum.search_conversation_memory(
    query_embedding => (
        SELECT c.message_embedding FROM aurum.ai_conversation_memory AS c
        WHERE c.message_role = 'user'
        ORDER BY c.created_at DESC LIMIT 1
    ),
    match_count => 5,
    cutoff_date => now() - interval '30 days'
) AS m;

-- set_embedding, as a service
SELECT
    aurum.set_embedding(
        p_entity => 'project',
        p_entity_id => s.entity_id,
        p_content_hash => s.content_hash,
        p_embeddings => ARRAY[array_fill(0.1, ARRAY[1536])::extensions.vector],
        p_model => 'text-embedding-3-small'
    )
FROM aurum.stale_embeddings('project', 1) AS s;
SELECT
    p.name,
    p.embedding_model,
    p.embedding_updated_at
FROM aurum.projects AS p
WHERE p.combined_embedding IS NOT NULL
ORDER BY p.embedding_updated_at DESC
LIMIT 1;

-- slow_query_report, as a service
SELECT aurum.slow_query_report(p_limit => 10) AS reported;

-- stale_embeddings, as a service
SELECT
    s.entity_id,
    s.content_hash,
    s.texts
FROM aurum.stale_embeddings(p_entity => 'project', p_limit => 10) AS s;
