-- depends: 0042_count_messages
-- Adds up what has happened since the last time: the cost is that of the changes, not of all conversations, and the
-- result that of counting from scratch. A character that somebody is just changing is left for the next time.
CREATE FUNCTION refresh_character_counters()
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_ids CONSTANT uuid[] := ARRAY(
        SELECT c.id
        FROM characters AS c
        WHERE c.id IN (SELECT d.character_id FROM conversation_changes AS d)
        ORDER BY c.id
        FOR NO KEY UPDATE SKIP LOCKED
    );
    v_refreshed integer;
BEGIN
    WITH taken AS (
        DELETE FROM conversation_changes AS d
        WHERE d.character_id = ANY(c_ids)
        RETURNING d.character_id, d.conversations, d.ratings, d.rating_sum
    ),

    changes AS (
        SELECT
            t.character_id,
            sum(t.conversations) AS conversations,
            sum(t.ratings) AS ratings,
            sum(t.rating_sum) AS rating_sum
        FROM taken AS t
        GROUP BY t.character_id
    )

    UPDATE characters AS c
    SET
        conversation_count = c.conversation_count + d.conversations,
        rating_count = c.rating_count + d.ratings,
        rating_sum = c.rating_sum + d.rating_sum,
        average_rating = (c.rating_sum + d.rating_sum) / nullif(c.rating_count + d.ratings, 0)
    FROM changes AS d
    WHERE c.id = d.character_id;
    GET DIAGNOSTICS v_refreshed = ROW_COUNT;

    DELETE FROM conversation_changes AS d
    WHERE NOT EXISTS (SELECT 1 FROM characters AS c WHERE c.id = d.character_id);
    RETURN v_refreshed;
END;
$$;
REVOKE ALL ON FUNCTION refresh_character_counters() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_character_counters() IS
'Brings conversation_count and average_rating of characters with new activity up to date; how many. A job.';
