-- depends: 0041_count_conversations
-- Writes down how many messages come and go, by statement; refresh_message_counts() adds it up.
CREATE FUNCTION count_messages()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_conversations uuid[];
    v_messages bigint[];
BEGIN
    IF tg_op = 'INSERT' THEN
        SELECT array_agg(c.id), array_agg(c.messages)
        INTO v_conversations, v_messages
        FROM (SELECT n.conversation_id, count(*) FROM new_rows AS n GROUP BY 1) AS c (id, messages);
    ELSE
        SELECT array_agg(c.id), array_agg(-c.messages)
        INTO v_conversations, v_messages
        FROM (SELECT o.conversation_id, count(*) FROM old_rows AS o GROUP BY 1) AS c (id, messages);
    END IF;

    INSERT INTO message_changes (conversation_id, messages)
    SELECT
        c.id,
        c.messages
    FROM unnest(v_conversations, v_messages) AS c (id, messages);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION count_messages() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION count_messages() IS 'Trigger: notes for conversations.message_count how many messages come and go.';

CREATE TRIGGER messages_count_insert
AFTER INSERT ON messages
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_messages();

CREATE TRIGGER messages_count_delete
AFTER DELETE ON messages
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_messages();
