-- depends: 0042_search_knowledge
-- Runs with the caller's rights: for another's id there is no row.
CREATE FUNCTION get_user_context(p_user_id uuid, p_app_id text)
RETURNS TABLE (
    profile jsonb,
    progress jsonb,
    memories jsonb
)
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT
        jsonb_build_object(
            'id', u.id,
            'email', u.email,
            'preferences', u.preferences,
            'subscription_tier', u.subscription_tier,
            'data_retention_days', u.data_retention_days,
            'last_active_at', u.last_active_at
        ) AS profile,
        (
            SELECT
                jsonb_build_object(
                    'progress_data', up.progress_data,
                    'milestones_reached', up.milestones_reached,
                    'current_focus_area', up.current_focus_area,
                    'total_conversations', up.total_conversations,
                    'total_messages', up.total_messages,
                    'started_at', up.started_at,
                    'last_updated_at', up.last_updated_at
                )
            FROM user_progress AS up
            WHERE up.user_id = u.id AND up.app_id = a.id
        ) AS progress,
        (
            SELECT
                coalesce(
                    jsonb_agg(r.memory ORDER BY r.importance DESC NULLS LAST, r.created_at DESC, r.id ASC), '[]'
                )
            FROM (
                SELECT
                    um.importance,
                    um.created_at,
                    um.id,
                    jsonb_build_object(
                        'id', um.id,
                        'memory_type', um.memory_type,
                        'content', um.content,
                        'importance', um.importance,
                        'conversation_id', um.conversation_id,
                        'created_at', um.created_at,
                        'last_accessed_at', um.last_accessed_at,
                        'expires_at', um.expires_at
                    ) AS memory
                FROM user_memories AS um
                WHERE
                    um.user_id = u.id
                    AND um.app_id = a.id
                    AND (um.expires_at IS NULL OR um.expires_at > now())
                ORDER BY um.importance DESC NULLS LAST, um.created_at DESC, um.id ASC
                LIMIT 20
            ) AS r
        ) AS memories
    FROM users AS u
    CROSS JOIN apps AS a
    WHERE u.id = p_user_id AND a.app_id = p_app_id;
END;
REVOKE ALL ON FUNCTION get_user_context(uuid, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_user_context(uuid, text) IS
'A user in an app, in one row: profile, progress (null where there is none) and the 20 most important unexpired '
'memories.';
