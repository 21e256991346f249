-- depends: 0043_refresh_character_counters
-- As refresh_character_counters().
CREATE FUNCTION refresh_message_counts()
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_ids CONSTANT uuid[] := ARRAY(
        SELECT c.id
        FROM conversations AS c
        WHERE c.id IN (SELECT d.conversation_id FROM message_changes AS d)
        ORDER BY c.id
        FOR NO KEY UPDATE SKIP LOCKED
    );
    v_refreshed integer;
BEGIN
    WITH taken AS (
        DELETE FROM message_changes AS d
        WHERE d.conversation_id = ANY(c_ids)
        RETURNING d.conversation_id, d.messages
    ),

    changes AS (
        SELECT
            t.conversation_id,
            sum(t.messages) AS messages
        FROM taken AS t
        GROUP BY t.conversation_id
    )

    UPDATE conversations AS c
    SET message_count = c.message_count + d.messages
    FROM changes AS d
    WHERE c.id = d.conversation_id;
    GET DIAGNOSTICS v_refreshed = ROW_COUNT;

    DELETE FROM message_changes AS d
    WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = d.conversation_id);
    RETURN v_refreshed;
END;
$$;
REVOKE ALL ON FUNCTION refresh_message_counts() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refresh_message_counts() IS
'Brings message_count of conversations with new messages up to date; how many. A job.';
