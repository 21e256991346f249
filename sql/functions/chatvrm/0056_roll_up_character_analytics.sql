-- depends: 0055_search_characters
-- One query says what a range of days was like, for one day as for all. Days are those of UTC; live and archived rows
-- count alike, so that archiving changes nothing.
CREATE FUNCTION character_analytics_of(p_from date, p_to date)
RETURNS TABLE (
    character_id uuid,
    date date,
    conversation_count bigint,
    message_count bigint,
    unique_users bigint,
    avg_conversation_duration double precision,
    avg_user_rating double precision,
    popular_topics jsonb,
    emotion_distribution jsonb,
    user_id uuid
)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    WITH range AS (
        SELECT
            p_from::timestamp AT TIME ZONE 'UTC' AS first_moment, -- noqa: RF03
            (p_to + 1)::timestamp AT TIME ZONE 'UTC' AS end_moment -- noqa: RF03
    ),

    talks AS (
        SELECT
            c.character_id,
            (c.started_at AT TIME ZONE 'UTC')::date AS day,
            c.user_id,
            c.user_rating,
            extract(EPOCH FROM c.ended_at - c.started_at) AS seconds
        FROM conversations AS c
        CROSS JOIN range AS r
        WHERE c.started_at >= r.first_moment AND c.started_at < r.end_moment
        UNION ALL
        SELECT
            c.character_id,
            (c.started_at AT TIME ZONE 'UTC')::date AS day,
            c.user_id,
            c.user_rating,
            extract(EPOCH FROM c.ended_at - c.started_at) AS seconds
        FROM archived_conversations AS c
        CROSS JOIN range AS r
        WHERE c.started_at >= r.first_moment AND c.started_at < r.end_moment
    ),

    said AS (
        SELECT
            c.character_id,
            (m.created_at AT TIME ZONE 'UTC')::date AS day,
            m.emotion,
            m.metadata
        FROM messages AS m
        INNER JOIN conversations AS c ON m.conversation_id = c.id
        CROSS JOIN range AS r
        WHERE m.created_at >= r.first_moment AND m.created_at < r.end_moment
        UNION ALL
        SELECT
            c.character_id,
            (m.created_at AT TIME ZONE 'UTC')::date AS day,
            m.emotion,
            m.metadata
        FROM archived_messages AS m
        INNER JOIN archived_conversations AS c ON m.conversation_id = c.id
        CROSS JOIN range AS r
        WHERE m.created_at >= r.first_moment AND m.created_at < r.end_moment
    ),

    by_talk AS (
        SELECT
            t.character_id,
            t.day,
            count(*) AS conversations,
            count(DISTINCT t.user_id) AS users,
            avg(t.seconds)::double precision AS duration,
            -- Of floating point numbers it would depend on their order.
            avg(t.user_rating::numeric)::double precision AS rating
        FROM talks AS t
        GROUP BY t.character_id, t.day
    ),

    by_message AS (
        SELECT
            s.character_id,
            s.day,
            count(*) AS messages
        FROM said AS s
        GROUP BY s.character_id, s.day
    ),

    by_emotion AS (
        SELECT
            e.character_id,
            e.day,
            jsonb_object_agg(e.emotion, e.messages) AS emotions
        FROM (
            SELECT
                s.character_id,
                s.day,
                s.emotion,
                count(*) AS messages
            FROM said AS s
            WHERE s.emotion IS NOT NULL
            GROUP BY s.character_id, s.day, s.emotion
        ) AS e
        GROUP BY e.character_id, e.day
    ),

    by_topic AS (
        SELECT
            t.character_id,
            t.day,
            jsonb_agg(
                jsonb_build_object('topic', t.topic, 'count', t.messages) ORDER BY t.place
            ) AS topics
        FROM (
            SELECT
                s.character_id,
                s.day,
                n.topic,
                count(*) AS messages,
                row_number() OVER (
                    PARTITION BY s.character_id, s.day ORDER BY count(*) DESC, n.topic COLLATE "C" ASC -- noqa: RF02
                ) AS place
            FROM said AS s
            CROSS JOIN
                LATERAL jsonb_array_elements_text(
                    CASE jsonb_typeof(s.metadata -> 'topics') WHEN 'array' THEN s.metadata -> 'topics' END
                ) AS n (topic)
            WHERE n.topic IS NOT NULL
            GROUP BY s.character_id, s.day, n.topic
        ) AS t
        WHERE t.place <= 10
        GROUP BY t.character_id, t.day
    )

    SELECT
        c.id,
        d.day,
        coalesce(t.conversations, 0) AS conversations,
        coalesce(m.messages, 0) AS messages,
        coalesce(t.users, 0) AS users,
        t.duration,
        t.rating,
        coalesce(p.topics, '[]') AS topics,
        coalesce(e.emotions, '{}') AS emotions,
        c.user_id
    FROM (
        SELECT
            b.character_id,
            b.day
        FROM by_talk AS b
        UNION
        SELECT
            b.character_id,
            b.day
        FROM by_message AS b
    ) AS d
    INNER JOIN characters AS c ON d.character_id = c.id
    LEFT JOIN by_talk AS t ON d.character_id = t.character_id AND d.day = t.day
    LEFT JOIN by_message AS m ON d.character_id = m.character_id AND d.day = m.day
    LEFT JOIN by_emotion AS e ON d.character_id = e.character_id AND d.day = e.day
    LEFT JOIN by_topic AS p ON d.character_id = p.character_id AND d.day = p.day;
END;
REVOKE ALL ON FUNCTION character_analytics_of(date, date) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION character_analytics_of(date, date) IS
'What character_analytics has to hold for the days from the one to the other, computed from scratch.';

-- Rows that are right already are left alone, those of days on which nothing is left are removed.
CREATE FUNCTION store_character_analytics(p_from date, p_to date)
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_stored integer;
BEGIN
    WITH computed AS MATERIALIZED (
        SELECT o.* FROM character_analytics_of(p_from, p_to) AS o
    ),

    removed AS (
        DELETE FROM character_analytics AS a
        WHERE
            a.date BETWEEN p_from AND p_to
            AND NOT EXISTS (
                SELECT 1 FROM computed AS o WHERE o.character_id = a.character_id AND o.date = a.date
            )
    )

    INSERT INTO character_analytics AS a (
        character_id, date, conversation_count, message_count, unique_users, avg_conversation_duration,
        avg_user_rating, popular_topics, emotion_distribution, user_id
    )
    SELECT
        o.character_id, o.date, o.conversation_count, o.message_count, o.unique_users, o.avg_conversation_duration,
        o.avg_user_rating, o.popular_topics, o.emotion_distribution, o.user_id
    FROM computed AS o
    ORDER BY o.character_id, o.date
    ON CONFLICT (character_id, date) DO UPDATE
        SET
            conversation_count = excluded.conversation_count,
            message_count = excluded.message_count,
            unique_users = excluded.unique_users,
            avg_conversation_duration = excluded.avg_conversation_duration,
            avg_user_rating = excluded.avg_user_rating,
            popular_topics = excluded.popular_topics,
            emotion_distribution = excluded.emotion_distribution
        WHERE
            (
                a.conversation_count, a.message_count, a.unique_users, a.avg_conversation_duration,
                a.avg_user_rating, a.popular_topics, a.emotion_distribution
            ) IS DISTINCT FROM (
                excluded.conversation_count, excluded.message_count, excluded.unique_users,
                excluded.avg_conversation_duration, excluded.avg_user_rating, excluded.popular_topics,
                excluded.emotion_distribution
            );
    GET DIAGNOSTICS v_stored = ROW_COUNT;
    RETURN v_stored;
END;
$$;
REVOKE ALL ON FUNCTION store_character_analytics(date, date) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION store_character_analytics(date, date) IS
'Makes character_analytics true for the days from the one to the other; how many rows were new or wrong.';

CREATE FUNCTION roll_up_character_analytics(p_day date DEFAULT (now() AT TIME ZONE 'UTC')::date - 1)
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RETURN store_character_analytics(p_day, p_day);
END;
$$;
REVOKE ALL ON FUNCTION roll_up_character_analytics(date) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION roll_up_character_analytics(date) IS
'Computes character_analytics of a day (UTC), by default yesterday; how many rows were new or wrong. A job.';

CREATE FUNCTION backfill_character_analytics()
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_from date;
    v_to date;
BEGIN
    SELECT (min(d.at) AT TIME ZONE 'UTC')::date, (max(d.at) AT TIME ZONE 'UTC')::date
    INTO v_from, v_to
    FROM (
        SELECT min(c.started_at) FROM conversations AS c
        UNION ALL
        SELECT max(c.started_at) FROM conversations AS c
        UNION ALL
        SELECT min(c.started_at) FROM archived_conversations AS c
        UNION ALL
        SELECT max(c.started_at) FROM archived_conversations AS c
        UNION ALL
        SELECT max(m.created_at) FROM messages AS m
        UNION ALL
        SELECT max(m.created_at) FROM archived_messages AS m
        UNION ALL
        SELECT min(a.date)::timestamp AT TIME ZONE 'UTC' FROM character_analytics AS a
        UNION ALL
        SELECT max(a.date)::timestamp AT TIME ZONE 'UTC' FROM character_analytics AS a
    ) AS d (at);
    RETURN store_character_analytics(v_from, v_to);
END;
$$;
REVOKE ALL ON FUNCTION backfill_character_analytics() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION backfill_character_analytics() IS
'Computes character_analytics of all days that there are rows for; how many rows were new or wrong.';
