-- depends: 0040_get_conversation_messages
-- Writes down what happens to conversations and archived ones, by statement; refresh_character_counters() adds it up.
CREATE FUNCTION count_conversations()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_characters uuid[];
    v_conversations bigint[];
    v_ratings bigint[];
    v_sums numeric[];
BEGIN
    -- A branch for each event: a transition table exists only where its event declares it.
    IF tg_op = 'INSERT' THEN
        SELECT array_agg(c.id), array_agg(c.conversations), array_agg(c.ratings), array_agg(c.total)
        INTO v_characters, v_conversations, v_ratings, v_sums
        FROM (
            SELECT n.character_id, count(*), count(n.user_rating), coalesce(sum(n.user_rating::numeric), 0)
            FROM new_rows AS n
            GROUP BY n.character_id
        ) AS c (id, conversations, ratings, total);
    ELSIF tg_op = 'DELETE' THEN
        SELECT array_agg(c.id), array_agg(-c.conversations), array_agg(-c.ratings), array_agg(-c.total)
        INTO v_characters, v_conversations, v_ratings, v_sums
        FROM (
            SELECT o.character_id, count(*), count(o.user_rating), coalesce(sum(o.user_rating::numeric), 0)
            FROM old_rows AS o
            GROUP BY o.character_id
        ) AS c (id, conversations, ratings, total);
    ELSE
        SELECT array_agg(c.id), array_agg(0::bigint), array_agg(c.ratings), array_agg(c.total)
        INTO v_characters, v_conversations, v_ratings, v_sums
        FROM (
            SELECT r.character_id, sum(r.ratings), sum(r.total)
            FROM (
                SELECT n.character_id, num_nonnulls(n.user_rating), coalesce(n.user_rating::numeric, 0)
                FROM new_rows AS n
                UNION ALL
                SELECT o.character_id, -num_nonnulls(o.user_rating), -coalesce(o.user_rating::numeric, 0)
                FROM old_rows AS o
            ) AS r (character_id, ratings, total)
            GROUP BY r.character_id
            HAVING sum(r.ratings) <> 0 OR sum(r.total) <> 0
        ) AS c (id, ratings, total);
    END IF;

    INSERT INTO conversation_changes (character_id, conversations, ratings, rating_sum)
    SELECT
        c.id,
        c.conversations,
        c.ratings,
        c.total
    FROM unnest(v_characters, v_conversations, v_ratings, v_sums) AS c (id, conversations, ratings, total);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_conversations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_conversations() IS
'Trigger: notes for the counters of characters what happens to conversations.';

CREATE TRIGGER conversations_count_insert
AFTER INSERT ON conversations
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();

CREATE TRIGGER conversations_count_update
AFTER UPDATE ON conversations
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();

CREATE TRIGGER conversations_count_delete
AFTER DELETE ON conversations
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();

CREATE TRIGGER archived_conversations_count_insert
AFTER INSERT ON archived_conversations
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();

CREATE TRIGGER archived_conversations_count_update
AFTER UPDATE ON archived_conversations
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();

CREATE TRIGGER archived_conversations_count_delete
AFTER DELETE ON archived_conversations
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_conversations();
