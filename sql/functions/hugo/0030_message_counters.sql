-- depends: 0029_conversation_title
-- conversations and user_progress, by statement: however many messages come at once, each conversation and each
-- progress row is updated once. The UPDATE of a conversation is also what makes "no message into a closed
-- conversation" safe: it waits for a session that is closing it, and then sees the closed row. Totals of user_progress
-- count for life: they only grow. Rows are updated one by one, by key: always in the same order, so that no two
-- sessions wait for each other in a circle, and with plans that are kept, which halves the time of a single message.
CREATE FUNCTION count_new_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_users uuid[];
    v_apps uuid[];
    v_counts bigint[];
    v_latest timestamptz[];
    v_firsts text[];
    v_closed_at timestamptz;
    v_total bigint := 0::bigint;
BEGIN
    SELECT
        array_agg(c.id),
        array_agg(c.user_id),
        array_agg(c.app_id),
        array_agg(c.messages),
        array_agg(c.latest),
        array_agg(c.first_words)
    INTO v_ids, v_users, v_apps, v_counts, v_latest, v_firsts
    FROM (
        SELECT
            n.conversation_id,
            n.user_id,
            n.app_id,
            count(*),
            max(n.created_at),
            (array_agg(left(n.content, 10000) ORDER BY n.created_at, n.id) FILTER (WHERE n.role = 'user'))[1]
        FROM new_rows AS n
        GROUP BY n.user_id, n.app_id, n.conversation_id
        ORDER BY n.user_id, n.app_id, n.conversation_id
    ) AS c (id, user_id, app_id, messages, latest, first_words);

    FOR i IN 1..coalesce(cardinality(v_ids), 0) LOOP
        UPDATE conversations AS c
        SET
            message_count = c.message_count + v_counts[i],
            last_message_at = CASE
                WHEN c.activated_at IS NULL THEN v_latest[i] ELSE greatest(c.last_message_at, v_latest[i])
            END,
            activated_at = coalesce(c.activated_at, v_latest[i]),
            title = coalesce(c.title, conversation_title(v_firsts[i]))
        WHERE c.id = v_ids[i]
        RETURNING c.closed_at INTO v_closed_at;
        IF v_closed_at IS NOT NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                MESSAGE = format('conversation %s is closed', v_ids[i]),
                HINT = 'Begin a new conversation.',
                CONSTRAINT = 'messages_conversation_open_check',
                TABLE = 'messages',
                SCHEMA = tg_table_schema;
        END IF;

        v_total := v_total + v_counts[i];
        -- After the last conversation of this user and app.
        IF (v_users[i], v_apps[i]) IS DISTINCT FROM (v_users[i + 1], v_apps[i + 1]) THEN
            UPDATE user_progress AS up
            SET total_messages = up.total_messages + v_total
            WHERE up.user_id = v_users[i] AND up.app_id = v_apps[i];
            v_total := 0;
        END IF;
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_new_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_new_messages() IS
'Trigger: counts new messages, activates and titles their conversations, refuses messages into closed ones.';

CREATE FUNCTION count_deleted_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_counts bigint[];
BEGIN
    SELECT array_agg(c.id), array_agg(c.messages) INTO v_ids, v_counts
    FROM (
        SELECT o.conversation_id, count(*)
        FROM old_rows AS o
        GROUP BY o.user_id, o.app_id, o.conversation_id
        ORDER BY o.user_id, o.app_id, o.conversation_id
    ) AS c (id, messages);

    FOR i IN 1..coalesce(cardinality(v_ids), 0) LOOP
        UPDATE conversations AS c SET message_count = c.message_count - v_counts[i] WHERE c.id = v_ids[i];
    END LOOP;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_deleted_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_deleted_messages() IS 'Trigger: takes deleted messages off conversations.message_count.';

CREATE TRIGGER messages_count_insert
AFTER INSERT ON messages
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_new_messages();

CREATE TRIGGER messages_count_delete
AFTER DELETE ON messages
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_deleted_messages();
