-- depends: 0048_soft_delete
-- In batches, so that memory does not grow with the backlog. It waits for others for less than deadlock_timeout: where
-- a user in turn waits for the job, the job gives way and leaves that batch for the next month. To write or to change a
-- message is activity, as is a change of the conversation. A definer function: service_role may start it, but deletes
-- no conversations itself.
CREATE FUNCTION archive_inactive_conversations(p_older_than interval DEFAULT '12 months')
RETURNS integer
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
SET lock_timeout = '500ms'
AS $$
DECLARE
    c_batch CONSTANT integer := 1000;
    c_before CONSTANT timestamptz := now() - p_older_than;
    v_ids bigint[];
    v_busy bigint[] := '{}'::bigint[];
    v_archived integer := 0;
BEGIN
    LOOP
        v_ids := '{}';
        BEGIN
            v_ids := ARRAY(
                SELECT c.id
                FROM conversations AS c
                WHERE
                    c.created_at < c_before
                    AND c.updated_at < c_before
                    AND c.id <> ALL(v_busy)
                    AND NOT EXISTS (
                        SELECT 1
                        FROM messages AS m
                        WHERE m.conversation_id = c.id AND greatest(m.created_at, m.updated_at) >= c_before
                    )
                    -- What a service has restored under its old ids stays: the archive keeps what it has.
                    AND NOT EXISTS (SELECT 1 FROM archived_conversations AS ac WHERE ac.id = c.id)
                    AND NOT EXISTS (
                        SELECT 1
                        FROM messages AS m
                        INNER JOIN archived_messages AS am ON m.id = am.id
                        WHERE m.conversation_id = c.id
                    )
                    AND NOT EXISTS (
                        SELECT 1
                        FROM messages AS m
                        INNER JOIN ethical_validations AS v ON m.id = v.message_id
                        INNER JOIN archived_ethical_validations AS av ON v.id = av.id
                        WHERE m.conversation_id = c.id
                    )
                ORDER BY c.created_at
                LIMIT c_batch
                FOR UPDATE SKIP LOCKED
            );
            EXIT WHEN cardinality(v_ids) = 0;
            -- A message may have come, or changed, before these locks did: such a conversation is left alone.
            PERFORM FROM messages AS m WHERE m.conversation_id = ANY(v_ids) ORDER BY m.id FOR UPDATE;
            v_busy := v_busy || ARRAY(
                SELECT DISTINCT m.conversation_id
                FROM messages AS m
                WHERE m.conversation_id = ANY(v_ids) AND greatest(m.created_at, m.updated_at) >= c_before
            );
            v_ids := ARRAY(SELECT i.id FROM unnest(v_ids) AS i (id) WHERE i.id <> ALL(v_busy));

            INSERT INTO archived_conversations (
                id, user_id, title, is_archived, metadata, created_at, updated_at, deleted_at
            )
            SELECT c.id, c.user_id, c.title, c.is_archived, c.metadata, c.created_at, c.updated_at, c.deleted_at
            FROM conversations AS c
            WHERE c.id = ANY(v_ids);

            INSERT INTO archived_messages (
                id, conversation_id, user_id, role, content, agent_name, reasoning_trace, ethical_validation,
                token_count, created_at, updated_at, deleted_at
            )
            SELECT
                m.id, m.conversation_id, m.user_id, m.role, m.content, m.agent_name, m.reasoning_trace,
                m.ethical_validation, m.token_count, m.created_at, m.updated_at, m.deleted_at
            FROM messages AS m
            WHERE m.conversation_id = ANY(v_ids);

            INSERT INTO archived_ethical_validations (
                id, user_id, message_id, agent_activity_id, validator, result, rules_applied, concerns, reasoning,
                override_allowed, overridden_by_user, metadata, created_at
            )
            SELECT
                v.id, v.user_id, v.message_id, v.agent_activity_id, v.validator, v.result, v.rules_applied, v.concerns,
                v.reasoning, v.override_allowed, v.overridden_by_user, v.metadata, v.created_at
            FROM messages AS m
            INNER JOIN ethical_validations AS v ON m.id = v.message_id
            WHERE m.conversation_id = ANY(v_ids);

            -- Messages and their validations go along.
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
REVOKE ALL ON FUNCTION archive_inactive_conversations(interval) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION archive_inactive_conversations(interval) IS
'Moves conversations without activity for p_older_than, with their messages and the validations of these, to the '
'archive tables; how many. A job.';
