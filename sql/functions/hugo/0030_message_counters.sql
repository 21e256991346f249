-- depends: 0029_conversation_title
-- conversations and user_progress, by statement: however many messages come at once, each conversation and each
-- progress row is updated once. The UPDATE of a conversation is also what makes "no message into a closed
-- conversation" safe: it waits for a session that is closing it, and then sees the closed row. Totals of
-- user_progress count for life: they only grow. Rows are locked in one order.
CREATE FUNCTION count_new_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
    v_counts integer[];
    v_latest timestamptz[];
    v_firsts text[];
    v_users uuid[];
    v_apps uuid[];
    v_closed uuid;
BEGIN
    SELECT
        array_agg(c.conversation_id),
        array_agg(c.messages),
        array_agg(c.latest),
        array_agg(c.first_words),
        array_agg(c.user_id),
        array_agg(c.app_id)
    INTO v_ids, v_counts, v_latest, v_firsts, v_users, v_apps
    FROM (
        SELECT
            n.conversation_id,
            n.user_id,
            n.app_id,
            count(*),
            max(n.created_at),
            (array_agg(left(n.content, 10000) ORDER BY n.created_at, n.id) FILTER (WHERE n.role = 'user'))[1]
        FROM new_rows AS n
        GROUP BY n.conversation_id, n.user_id, n.app_id
    ) AS c (conversation_id, user_id, app_id, messages, latest, first_words);
    IF v_ids IS NULL THEN
        RETURN NULL;
    END IF;

    IF cardinality(v_ids) > 1 THEN
        PERFORM 1 FROM conversations AS c WHERE c.id = ANY(v_ids) ORDER BY c.id FOR NO KEY UPDATE;
    END IF;
    WITH counted AS (
        UPDATE conversations AS c
        SET
            message_count = c.message_count + n.messages,
            last_message_at = CASE WHEN c.activated_at IS NULL THEN n.latest ELSE greatest(c.last_message_at, n.latest) END,
            activated_at = coalesce(c.activated_at, n.latest),
            title = coalesce(c.title, conversation_title(n.first_words))
        FROM unnest(v_ids, v_counts, v_latest, v_firsts) AS n (id, messages, latest, first_words)
        WHERE c.id = n.id
        RETURNING c.id, c.closed_at
    )
    SELECT counted.id INTO v_closed FROM counted WHERE counted.closed_at IS NOT NULL LIMIT 1;
    IF v_closed IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('conversation %s is closed', v_closed),
            HINT = 'Begin a new conversation.',
            CONSTRAINT = 'messages_conversation_open_check',
            TABLE = 'messages',
            SCHEMA = tg_table_schema;
    END IF;

    IF cardinality(v_ids) > 1 THEN
        PERFORM 1
        FROM user_progress AS up
        WHERE (up.user_id, up.app_id) IN (SELECT * FROM unnest(v_users, v_apps))
        ORDER BY up.id
        FOR NO KEY UPDATE;
    END IF;
    UPDATE user_progress AS up
    SET total_messages = up.total_messages + n.messages
    FROM (
        SELECT u.user_id, u.app_id, sum(u.messages)
        FROM unnest(v_users, v_apps, v_counts) AS u (user_id, app_id, messages)
        GROUP BY u.user_id, u.app_id
    ) AS n (user_id, app_id, messages)
    WHERE up.user_id = n.user_id AND up.app_id = n.app_id;
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
    v_counts integer[];
BEGIN
    SELECT array_agg(c.id), array_agg(c.messages) INTO v_ids, v_counts
    FROM (SELECT o.conversation_id, count(*) FROM old_rows AS o GROUP BY o.conversation_id) AS c (id, messages);
    IF v_ids IS NULL THEN
        RETURN NULL;
    END IF;
    IF cardinality(v_ids) > 1 THEN
        PERFORM 1 FROM conversations AS c WHERE c.id = ANY(v_ids) ORDER BY c.id FOR NO KEY UPDATE;
    END IF;
    UPDATE conversations AS c
    SET message_count = c.message_count - d.messages
    FROM unnest(v_ids, v_counts) AS d (id, messages)
    WHERE c.id = d.id;
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
