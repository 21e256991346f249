-- depends: 0040_expire_user_memories
-- Runs with the caller's rights: for another's id it shows the app and nothing of the person.
CREATE FUNCTION get_chat_context(p_app_id text, p_user_id uuid)
RETURNS TABLE (
    app_id text,
    display_name text,
    domain text,
    personality_schema jsonb,
    knowledge_bases text[],
    recent_messages jsonb,
    progress_data jsonb,
    current_focus_area text,
    milestones_reached text[]
)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT
        a.app_id,
        a.display_name,
        a.domain,
        ps.schema AS personality_schema,
        ARRAY(
            SELECT kb.kb_id
            FROM knowledge_bases AS kb
            WHERE kb.kb_id = ANY(a.knowledge_base_ids) AND kb.is_active
            ORDER BY kb.kb_id
        ) AS knowledge_bases,
        (
            SELECT coalesce(jsonb_agg(r.message ORDER BY r.created_at DESC, r.id DESC), '[]')
            FROM (
                SELECT
                    m.created_at,
                    m.id,
                    jsonb_build_object(
                        'id', m.id,
                        'conversation_id', m.conversation_id,
                        'role', m.role,
                        'content', m.content,
                        'model', m.model,
                        'confidence_score', m.confidence_score,
                        'intimacy_code_reference', m.intimacy_code_reference,
                        'generation_time_ms', m.generation_time_ms,
                        'tokens_used', m.tokens_used,
                        'created_at', m.created_at
                    ) AS message
                FROM messages AS m
                -- p_user_id is a parameter, which has no table to be qualified with.
                WHERE m.user_id = p_user_id AND m.app_id = a.id -- noqa: RF03
                ORDER BY m.created_at DESC, m.id DESC
                LIMIT 10
            ) AS r
        ) AS recent_messages,
        up.progress_data,
        up.current_focus_area,
        up.milestones_reached
    FROM apps AS a
    LEFT JOIN personality_schemas AS ps ON a.personality_schema_id = ps.id
    LEFT JOIN user_progress AS up ON a.id = up.app_id AND up.user_id = p_user_id
    WHERE a.app_id = p_app_id AND a.is_active;
END;
REVOKE ALL ON FUNCTION get_chat_context(text, uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_chat_context(text, uuid) IS
'What a coach needs for the next reply, in one row: the app, its personality and knowledge bases, the user''s ten '
'newest messages in it (newest first) and progress. No row for an app that is not active.';
