-- depends: 0045_archived_conversations_triggers
-- In batches, so that memory does not grow with the backlog. Messages are moved by DELETE … RETURNING, which waits for
-- whoever is changing one of them. It waits for less than deadlock_timeout: where somebody in turn waits for the job,
-- the job gives way and leaves that batch for the next time.
CREATE FUNCTION archive_old_conversations(p_older_than interval DEFAULT '6 months')
RETURNS integer
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET lock_timeout = '500ms'
AS $$
DECLARE
    c_batch CONSTANT integer := 1000;
    v_ids uuid[];
    v_busy uuid[] := '{}'::uuid[];
    v_archived integer := 0;
BEGIN
    IF p_older_than IS NULL OR p_older_than < interval '0' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('"%s" is no age of conversations', p_older_than),
            HINT = 'Give an interval that is not negative, for example ''6 months''.';
    END IF;
    LOOP
        v_ids := '{}';
        BEGIN
            v_ids := ARRAY(
                SELECT c.id
                FROM conversations AS c
                WHERE c.status <> 'active' AND c.ended_at < now() - p_older_than AND c.id <> ALL(v_busy)
                ORDER BY c.ended_at
                LIMIT c_batch
                FOR UPDATE SKIP LOCKED
            );
            EXIT WHEN cardinality(v_ids) = 0;

            INSERT INTO archived_conversations (
                id, character_id, user_id, session_id, status, started_at, ended_at, message_count, user_rating,
                feedback
            )
            SELECT
                c.id, c.character_id, c.user_id, c.session_id, 'archived', c.started_at, c.ended_at, 0,
                c.user_rating, c.feedback
            FROM conversations AS c
            WHERE c.id = ANY(v_ids);

            WITH moved AS (
                DELETE FROM messages AS m WHERE m.conversation_id = ANY(v_ids) RETURNING m.*
            ),

            kept AS (
                INSERT INTO archived_messages (
                    id, conversation_id, role, content, emotion, audio_file_id, metadata, created_at, token_count,
                    user_id
                )
                SELECT
                    m.id, m.conversation_id, m.role, m.content, m.emotion, m.audio_file_id, m.metadata,
                    m.created_at, m.token_count, m.user_id
                FROM moved AS m
            )

            -- What they are, whatever refresh_message_counts() has yet to add.
            UPDATE archived_conversations AS c
            SET message_count = d.messages
            FROM (
                SELECT
                    m.conversation_id,
                    count(*) AS messages
                FROM moved AS m
                GROUP BY m.conversation_id
            ) AS d
            WHERE c.id = d.conversation_id;

            DELETE FROM conversations AS c WHERE c.id = ANY(v_ids);
            v_archived := v_archived + cardinality(v_ids);
        EXCEPTION
            WHEN lock_not_available THEN
                -- The table itself is locked.
                EXIT WHEN cardinality(v_ids) = 0;
                v_busy := v_busy || v_ids;
        END;
    END LOOP;
    RETURN v_archived;
END;
$$;
REVOKE ALL ON FUNCTION archive_old_conversations(interval) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION archive_old_conversations(interval) IS
'Moves conversations that ended longer ago, with their messages, into the archive tables; how many. A job.';
