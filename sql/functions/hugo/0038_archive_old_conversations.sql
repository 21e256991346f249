-- depends: 0037_close_inactive_conversations
-- In batches, so that memory does not grow with the backlog. Messages are moved by DELETE … RETURNING, which waits for
-- a user who is deleting one of them: what is deleted does not come back in the archive. It waits for less than
-- deadlock_timeout: where the user in turn waits for the job, the job gives way and leaves that batch for the next
-- day.
CREATE FUNCTION archive_old_conversations()
RETURNS void
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET lock_timeout = '500ms'
AS $$
DECLARE
    c_batch CONSTANT integer := 1000;
    v_ids uuid[];
    v_busy uuid[] := '{}'::uuid[];
BEGIN
    LOOP
        v_ids := '{}';
        BEGIN
            v_ids := ARRAY(
                SELECT c.id
                FROM conversations AS c
                WHERE c.closed_at < now() - interval '90 days' AND c.id <> ALL(v_busy)
                ORDER BY c.closed_at
                LIMIT c_batch
                FOR UPDATE SKIP LOCKED
            );
            EXIT WHEN cardinality(v_ids) = 0;

            -- Of users with a shorter retention nothing is kept.
            INSERT INTO archived_conversations (
                id, session_id, user_id, app_id, title, message_count, created_at, last_message_at, closed_at,
                activated_at
            )
            SELECT
                c.id, c.session_id, c.user_id, c.app_id, c.title, c.message_count, c.created_at, c.last_message_at,
                c.closed_at, c.activated_at
            FROM conversations AS c
            INNER JOIN users AS u ON c.user_id = u.id
            WHERE c.id = ANY(v_ids) AND u.data_retention_days >= 365;

            WITH moved AS (
                DELETE FROM messages AS m WHERE m.conversation_id = ANY(v_ids) RETURNING m.*
            )
            INSERT INTO archived_messages (
                id, conversation_id, role, content, model, confidence_score, intimacy_code_reference,
                generation_time_ms, tokens_used, created_at, user_id, app_id
            )
            SELECT
                m.id, m.conversation_id, m.role, m.content, m.model, m.confidence_score, m.intimacy_code_reference,
                m.generation_time_ms, m.tokens_used, m.created_at, m.user_id, m.app_id
            FROM moved AS m
            INNER JOIN archived_conversations AS c ON m.conversation_id = c.id;

            DELETE FROM conversations AS c WHERE c.id = ANY(v_ids);
        EXCEPTION
            WHEN lock_not_available THEN
                -- The table itself is locked.
                EXIT WHEN cardinality(v_ids) = 0;
                v_busy := v_busy || v_ids;
        END;
    END LOOP;

    DELETE FROM archived_conversations AS c
    USING users AS u
    WHERE u.id = c.user_id AND c.closed_at < now() - make_interval(days => u.data_retention_days);
END;
$$;
REVOKE ALL ON FUNCTION archive_old_conversations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION archive_old_conversations() IS
'Of conversations closed more than 90 days ago, deletes those of users with a retention under 365 days and archives '
'the others; deletes from the archive what is older than its user''s retention. A job.';
