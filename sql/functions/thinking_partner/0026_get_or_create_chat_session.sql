-- depends: 0025_chat_sessions_triggers
-- Of two who find no session at once, one waits at chat_sessions_active_key until the other has made it, and looks
-- again; in a transaction that cannot see it (REPEATABLE READ) that is a serialization failure.
CREATE FUNCTION get_or_create_chat_session(
    p_user_id uuid,
    p_project_id uuid,
    p_session_type text DEFAULT 'thinking_partner',
    p_scope text DEFAULT 'daily'
)
RETURNS chat_sessions
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_session chat_sessions;
BEGIN
    IF p_user_id IS NULL OR (p_user_id IS DISTINCT FROM current_user_id() AND NOT platform.is_service()) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'a user opens their own sessions only',
            HINT = 'Give your own id as p_user_id.',
            CONSTRAINT = 'chat_sessions_user_check',
            TABLE = 'chat_sessions',
            SCHEMA = current_schema();
    ELSIF p_scope IS NULL OR p_scope NOT IN ('daily', 'project', 'conversation') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('"%s" is no scope of a session', left(p_scope, 100)),
            HINT = 'A scope is daily, project or conversation.',
            CONSTRAINT = 'chat_sessions_scope_check',
            TABLE = 'chat_sessions',
            SCHEMA = current_schema();
    END IF;

    LOOP
        IF p_scope <> 'conversation' THEN
            SELECT s.* INTO v_session
            FROM chat_sessions AS s
            WHERE
                s.user_id = p_user_id
                AND s.session_type = p_session_type
                AND s.status = 'active'
                AND s.project_id IS NOT DISTINCT FROM p_project_id
                AND (
                    p_scope = 'project'
                    OR (
                        s.scope = 'daily'
                        AND s.started_at >= date_trunc('day', now(), 'UTC')
                        -- Not 1 day, which has 23 or 25 hours where the caller's clocks change.
                        AND s.started_at < date_trunc('day', now(), 'UTC') + interval '24 hours'
                    )
                )
            ORDER BY s.started_at DESC, s.id ASC
            LIMIT 1;
            IF found THEN
                RETURN v_session;
            END IF;
        END IF;

        INSERT INTO chat_sessions (user_id, project_id, session_type, scope)
        VALUES (p_user_id, p_project_id, p_session_type, p_scope)
        ON CONFLICT DO NOTHING
        RETURNING * INTO v_session;
        IF found THEN
            RETURN v_session;
        END IF;
    END LOOP;
END;
$$;
REVOKE ALL ON FUNCTION get_or_create_chat_session(
    uuid, uuid, text, text
) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_or_create_chat_session(uuid, uuid, text, text) IS
'A session of the caller: of scope daily the active one of this day (UTC), of scope project the latest active one, '
'each for this project (or none) and session type, or a new one; of scope conversation always a new one.';
