-- depends: 0024_character_analytics
-- For dashboards; refreshed by a job. A materialized view knows no row-level security, so nobody but the view beneath
-- reads it.
CREATE MATERIALIZED VIEW character_stats AS
WITH talks AS (
    SELECT
        l.id,
        l.character_id,
        l.user_id,
        l.user_rating
    FROM conversations AS l
    UNION ALL
    SELECT
        a.id,
        a.character_id,
        a.user_id,
        a.user_rating
    FROM archived_conversations AS a
)

SELECT
    c.id,
    c.name,
    count(DISTINCT v.id) AS total_conversations,
    count(DISTINCT v.user_id) AS unique_users,
    avg(v.user_rating) AS avg_rating,
    c.user_id
FROM characters AS c
LEFT JOIN talks AS v ON c.id = v.character_id
GROUP BY c.id, c.name, c.user_id;
REVOKE ALL ON character_stats FROM PUBLIC, anon, authenticated, service_role;

-- Unique, so that it can be refreshed while it is read.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX idx_character_stats_id ON character_stats (id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX character_stats_user_idx ON character_stats (user_id);

COMMENT ON MATERIALIZED VIEW character_stats IS
'Conversations, archived ones included, by character, as of the last refresh_character_stats(); to be read through '
'my_character_stats.';

CREATE VIEW my_character_stats WITH (security_barrier = TRUE) AS
SELECT
    s.id,
    s.name,
    s.total_conversations,
    s.unique_users,
    s.avg_rating
FROM character_stats AS s
WHERE s.user_id = (SELECT current_user_id());
REVOKE ALL ON my_character_stats FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON VIEW my_character_stats IS 'character_stats of one''s own characters.';
