-- depends: 0030_message_counters
-- Lifetime totals of user_progress. A row may come after the conversations it counts; then it waits for those who are
-- writing at this moment (a new conversation locks its user's row, a new message its conversation's), so that none is
-- missed and none counted twice. Both lock the user's row in the same mode, since sessions that raised a shared lock
-- would wait for each other in a circle.
CREATE FUNCTION count_new_conversations()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_users uuid[];
    v_apps uuid[];
    v_counts bigint[];
BEGIN
    SELECT array_agg(c.user_id), array_agg(c.app_id), array_agg(c.conversations) INTO v_users, v_apps, v_counts
    FROM (
        SELECT n.user_id, n.app_id, count(*)
        FROM new_rows AS n
        GROUP BY n.user_id, n.app_id
        ORDER BY n.user_id, n.app_id
    ) AS c (user_id, app_id, conversations);

    FOR i IN 1..coalesce(cardinality(v_users), 0) LOOP
        PERFORM 1 FROM users AS u WHERE u.id = v_users[i] FOR NO KEY UPDATE;
        UPDATE user_progress AS up
        SET total_conversations = up.total_conversations + v_counts[i]
        WHERE up.user_id = v_users[i] AND up.app_id = v_apps[i];
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_new_conversations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_new_conversations() IS
'Trigger: adds new conversations to user_progress.total_conversations.';

CREATE FUNCTION count_past_progress()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_users uuid[];
    v_apps uuid[];
BEGIN
    SELECT array_agg(n.id), array_agg(n.user_id), array_agg(n.app_id) INTO v_ids, v_users, v_apps FROM new_rows AS n;
    IF v_ids IS NULL THEN
        RETURN NULL;
    END IF;

    PERFORM 1 FROM users AS u WHERE u.id = ANY(v_users) ORDER BY u.id FOR NO KEY UPDATE;
    PERFORM 1
    FROM conversations AS c
    WHERE (c.user_id, c.app_id) IN (SELECT * FROM unnest(v_users, v_apps))
    ORDER BY c.user_id, c.app_id, c.id
    FOR SHARE;

    UPDATE user_progress AS up
    SET total_conversations = t.conversations, total_messages = t.messages
    FROM (
        SELECT p.id, count(c.messages), coalesce(sum(c.messages), 0)
        FROM unnest(v_ids, v_users, v_apps) AS p (id, user_id, app_id)
        LEFT JOIN (
            SELECT live.user_id, live.app_id, live.message_count FROM conversations AS live
            UNION ALL
            SELECT past.user_id, past.app_id, past.message_count FROM archived_conversations AS past
        ) AS c (user_id, app_id, messages) ON p.user_id = c.user_id AND p.app_id = c.app_id
        GROUP BY p.id
    ) AS t (id, conversations, messages)
    WHERE up.id = t.id
        AND (up.total_conversations, up.total_messages) IS DISTINCT FROM (t.conversations, t.messages);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_past_progress() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_past_progress() IS
'Trigger: gives a new progress row the totals of the conversations that are there already, archived ones included.';

CREATE TRIGGER conversations_count_insert
AFTER INSERT ON conversations
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_new_conversations();

CREATE TRIGGER user_progress_count_past
AFTER INSERT ON user_progress
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_past_progress();
