-- depends: 0143_search_conversation_memory
-- Whole sessions, in batches, so that memory does not grow with the backlog. It waits for less than deadlock_timeout:
-- where somebody in turn waits for the job, the job gives way and leaves that batch for the next time.
CREATE FUNCTION archive_old_conversations(p_older_than interval DEFAULT '6 months')
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET lock_timeout = '500ms'
AS $$
DECLARE
    v_users uuid[];
    v_sessions uuid[];
    v_busy uuid[] := '{}'::uuid[];
    v_moved integer;
    v_archived integer := 0;
BEGIN
    IF p_older_than IS NULL OR p_older_than < interval '0' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('"%s" is no age of conversations', p_older_than),
            HINT = 'Give an interval that is not negative, for example ''6 months''.';
    END IF;
    LOOP
        v_sessions := '{}';
        BEGIN
            SELECT array_agg(o.user_id), array_agg(o.session_id)
            INTO v_users, v_sessions
            FROM (
                SELECT DISTINCT
                    m.user_id,
                    m.session_id
                FROM ai_conversation_memory AS m
                WHERE
                    m.created_at < now() - p_older_than
                    AND m.session_id <> ALL(v_busy)
                    AND NOT EXISTS (
                        SELECT 1
                        FROM ai_conversation_memory AS l
                        WHERE
                            l.user_id = m.user_id
                            AND l.session_id = m.session_id
                            AND l.created_at >= now() - p_older_than
                    )
                LIMIT 100
            ) AS o;
            EXIT WHEN coalesce(cardinality(v_sessions), 0) = 0;

            WITH moved AS (
                DELETE FROM ai_conversation_memory AS m
                USING unnest(v_users, v_sessions) AS o (user_id, session_id)
                WHERE m.user_id = o.user_id AND m.session_id = o.session_id
                RETURNING m.*
            )

            INSERT INTO archived_conversation_memory (
                id, user_id, conversation_date, session_id, message_role, message_content, context_entities,
                tokens_used, model_used, response_time_ms, was_helpful, created_at
            )
            SELECT
                m.id, m.user_id, m.conversation_date, m.session_id, m.message_role, m.message_content,
                m.context_entities, m.tokens_used, m.model_used, m.response_time_ms, m.was_helpful, m.created_at
            FROM moved AS m;
            GET DIAGNOSTICS v_moved = ROW_COUNT;
            v_archived := v_archived + v_moved;
        EXCEPTION
            WHEN lock_not_available THEN
                -- The table itself is locked.
                EXIT WHEN coalesce(cardinality(v_sessions), 0) = 0;
                v_busy := v_busy || v_sessions;
        END;
    END LOOP;
    RETURN v_archived;
END;
$$;
REVOKE ALL ON FUNCTION archive_old_conversations(interval) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION archive_old_conversations(interval) IS
'Moves sessions whose last message is older into archived_conversation_memory; how many messages. A job.';
