-- depends: 0137_set_embedding
-- With the caller's rights: service_role alone is granted it.
CREATE VIEW embedding_coverage
WITH (security_invoker = TRUE)
AS
SELECT
    c.entity,
    c.total,
    c.embedded,
    round(c.embedded::numeric / nullif(c.total, 0), 4) AS coverage
FROM (
    SELECT
        'journal_entry' AS entity,
        count(*) AS total,
        count(*) FILTER (WHERE j.embedding_hash IS NOT NULL) AS embedded
    FROM journal_entries AS j
    UNION ALL
    SELECT
        'task' AS entity,
        count(*) AS total,
        count(*) FILTER (WHERE t.embedding_hash IS NOT NULL) AS embedded
    FROM tasks AS t
    UNION ALL
    SELECT
        'project' AS entity,
        count(*) AS total,
        count(*) FILTER (WHERE p.embedding_hash IS NOT NULL) AS embedded
    FROM projects AS p
    UNION ALL
    SELECT
        'daily_reflection' AS entity,
        count(*) AS total,
        count(*) FILTER (WHERE r.embedding_hash IS NOT NULL) AS embedded
    FROM daily_reflections AS r
    UNION ALL
    SELECT
        'conversation' AS entity,
        count(*) AS total,
        count(*) FILTER (WHERE m.embedding_hash IS NOT NULL) AS embedded
    FROM ai_conversation_memory AS m
) AS c;
REVOKE ALL ON embedding_coverage FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON VIEW embedding_coverage IS 'Of each kind of row, how many have embeddings of their present text.';
COMMENT ON COLUMN embedding_coverage.coverage IS '0 to 1; null without rows.';
