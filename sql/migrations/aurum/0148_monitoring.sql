-- depends: 0147_slow_query_report
-- The document's five metrics, for operators: service_role alone is granted them, and they have the caller's rights.
CREATE VIEW embedding_backlog
WITH (security_invoker = TRUE)
AS
SELECT
    b.entity,
    count(*) FILTER (WHERE b.embedding_hash IS NULL) AS waiting,
    count(*) FILTER (WHERE b.embedding_hash IS NULL AND b.claimed_until > now()) AS in_work,
    min(b.created_at) FILTER (WHERE b.embedding_hash IS NULL) AS oldest,
    count(*) FILTER (WHERE b.embedded_at > now() - interval '1 day') AS made_last_day
FROM (
    SELECT
        'journal_entry' AS entity,
        j.embedding_hash,
        j.embedding_claimed_until AS claimed_until,
        j.embedding_updated_at AS embedded_at,
        j.created_at
    FROM journal_entries AS j
    UNION ALL
    SELECT
        'task' AS entity,
        t.embedding_hash,
        t.embedding_claimed_until AS claimed_until,
        t.embedding_updated_at AS embedded_at,
        t.created_at
    FROM tasks AS t
    UNION ALL
    SELECT
        'project' AS entity,
        p.embedding_hash,
        p.embedding_claimed_until AS claimed_until,
        p.embedding_updated_at AS embedded_at,
        p.created_at
    FROM projects AS p
    UNION ALL
    SELECT
        'daily_reflection' AS entity,
        r.embedding_hash,
        r.embedding_claimed_until AS claimed_until,
        r.embedding_updated_at AS embedded_at,
        r.created_at
    FROM daily_reflections AS r
    UNION ALL
    SELECT
        'conversation' AS entity,
        m.embedding_hash,
        m.embedding_claimed_until AS claimed_until,
        m.embedding_updated_at AS embedded_at,
        m.created_at
    FROM ai_conversation_memory AS m
) AS b
GROUP BY b.entity;
REVOKE ALL ON embedding_backlog FROM PUBLIC, anon, authenticated, service_role;

CREATE VIEW storage_growth
WITH (security_invoker = TRUE)
AS
SELECT
    s.relname AS table_name,
    s.n_live_tup AS live_rows,
    s.n_dead_tup AS dead_rows,
    s.n_tup_ins - s.n_tup_del AS rows_added,
    pg_table_size(s.relid) AS table_bytes,
    pg_indexes_size(s.relid) AS index_bytes,
    s.last_autovacuum,
    s.last_autoanalyze
FROM pg_catalog.pg_stat_user_tables AS s
INNER JOIN pg_catalog.pg_class AS c ON s.relid = c.oid
WHERE c.relnamespace = (
    SELECT k.relnamespace
    FROM pg_catalog.pg_class AS k
    WHERE k.oid = 'tasks'::regclass
);
REVOKE ALL ON storage_growth FROM PUBLIC, anon, authenticated, service_role;

CREATE VIEW vector_index_usage
WITH (security_invoker = TRUE)
AS
SELECT
    s.relname AS table_name,
    s.indexrelname AS index_name,
    s.idx_scan AS searches,
    s.idx_tup_read AS rows_read,
    round(s.idx_tup_read::numeric / nullif(s.idx_scan, 0), 1) AS rows_per_search,
    pg_relation_size(s.indexrelid) AS index_bytes,
    i.idx_blks_hit AS blocks_from_memory,
    i.idx_blks_read AS blocks_from_disk
FROM pg_catalog.pg_stat_user_indexes AS s
INNER JOIN pg_catalog.pg_statio_user_indexes AS i ON s.indexrelid = i.indexrelid
INNER JOIN pg_catalog.pg_class AS c ON s.indexrelid = c.oid
INNER JOIN pg_catalog.pg_am AS a ON c.relam = a.oid
WHERE
    a.amname = 'hnsw'
    AND c.relnamespace = (
        SELECT k.relnamespace
        FROM pg_catalog.pg_class AS k
        WHERE k.oid = 'tasks'::regclass
    );
REVOKE ALL ON vector_index_usage FROM PUBLIC, anon, authenticated, service_role;

CREATE VIEW statistics_cache_usage
WITH (security_invoker = TRUE)
AS
SELECT
    t.stat_type,
    (SELECT count(*) FROM user_stats) AS users,
    count(c.id) AS cached,
    round(count(c.id)::numeric / nullif((SELECT count(*) FROM user_stats), 0), 4) AS coverage,
    min(c.updated_at) AS oldest
FROM (VALUES ('daily'), ('weekly'), ('monthly')) AS t (stat_type)
LEFT JOIN user_statistics_cache AS c
    ON
        t.stat_type = c.stat_type
        AND c.stat_date = CASE t.stat_type
            WHEN 'daily' THEN current_date - 1
            WHEN 'weekly' THEN date_trunc('week', current_date - 1)::date
            ELSE date_trunc('month', current_date - 1)::date
        END
GROUP BY t.stat_type;
REVOKE ALL ON statistics_cache_usage FROM PUBLIC, anon, authenticated, service_role;

CREATE VIEW user_engagement
WITH (security_invoker = TRUE)
AS
WITH reflected AS (
    SELECT
        r.reflection_date AS day,
        count(*) AS reflections
    FROM daily_reflections AS r
    WHERE r.reflection_date >= current_date - 29
    GROUP BY r.reflection_date
),

talked AS (
    SELECT
        m.conversation_date AS day,
        count(DISTINCT m.user_id) AS people,
        count(*) AS messages
    FROM ai_conversation_memory AS m
    WHERE m.conversation_date >= current_date - 29 AND m.message_role = 'user'
    GROUP BY m.conversation_date
)

SELECT
    d.day::date AS day,
    (SELECT count(*) FROM user_stats) AS users,
    coalesce(r.reflections, 0) AS reflections,
    coalesce(t.people, 0) AS people_talking,
    coalesce(t.messages, 0) AS messages
FROM generate_series(current_date - 29, current_date, interval '1 day') AS d (day)
LEFT JOIN reflected AS r ON d.day = r.day
LEFT JOIN talked AS t ON d.day = t.day;
REVOKE ALL ON user_engagement FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON VIEW embedding_backlog IS 'Embedding generation: what waits, since when, and what was made in a day.';
COMMENT ON COLUMN embedding_backlog.oldest IS 'Creation of the oldest row that waits.';
COMMENT ON VIEW storage_growth IS
'Size of every table, its indexes, and rows added since the server''s statistics began.';
COMMENT ON VIEW vector_index_usage IS
'Vector search: how often each index was followed, how far, and from where it came.';
COMMENT ON VIEW statistics_cache_usage IS
'Of how many users yesterday''s figures, and those of its week and month, are there.';
COMMENT ON VIEW user_engagement IS 'Reflections and conversations of the last 30 days.';
