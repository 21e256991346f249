-- depends: 0024_search_chunks
-- The states of a session. It keeps its user and its scope.
CREATE FUNCTION stamp_session()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'UPDATE' AND old.status <> 'active' THEN
        new.ended_at := old.ended_at;
    ELSIF new.status = 'active' THEN
        new.ended_at := NULL;
    ELSIF tg_op = 'UPDATE' OR new.ended_at IS NULL OR NOT platform.is_service() THEN
        -- Never before its start, should the server's clock have been set back, or an ended session be sent back.
        new.ended_at := greatest(clock_timestamp(), new.started_at);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_session() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_session() IS 'Trigger: ended_at is when a session leaves active.';

CREATE TRIGGER chat_sessions_immutable
BEFORE UPDATE ON chat_sessions
FOR EACH ROW
WHEN ((old.id, old.user_id, old.scope) IS DISTINCT FROM (new.id, new.user_id, new.scope))
EXECUTE FUNCTION platform.refuse_change('chat_sessions', 'chat_sessions_immutable_check', 'id', 'user_id', 'scope');

CREATE TRIGGER chat_sessions_maintain_insert
BEFORE INSERT ON chat_sessions
FOR EACH ROW
WHEN ((new.created_at, new.updated_at, new.started_at) IS DISTINCT FROM (now(), now(), now()))
EXECUTE FUNCTION platform.maintain_columns(
    '{}', '{"created_at": "now", "updated_at": "now", "started_at": "now"}'
);

-- Each message that is appended updates its session: these ask themselves whether there is anything to do.
CREATE TRIGGER chat_sessions_maintain_update
BEFORE UPDATE ON chat_sessions
FOR EACH ROW
WHEN ((old.created_at, old.started_at) IS DISTINCT FROM (new.created_at, new.started_at))
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "started_at": "now"}');

CREATE TRIGGER chat_sessions_status
BEFORE UPDATE ON chat_sessions
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'chat_sessions', 'chat_sessions_status_transition_check', 'status', 'active',
    'active>completed', 'active>archived', 'completed>archived'
);

-- After the insert, which an upsert of an ended session that is there already never comes to.
CREATE TRIGGER chat_sessions_status_insert
AFTER INSERT ON chat_sessions
FOR EACH ROW
WHEN (new.status <> 'active')
EXECUTE FUNCTION platform.guard_state(
    'chat_sessions', 'chat_sessions_status_transition_check', 'status', 'active'
);

-- Their names come after that of the state machine.
CREATE TRIGGER chat_sessions_times_insert
BEFORE INSERT ON chat_sessions
FOR EACH ROW
WHEN (new.status <> 'active' OR new.ended_at IS NOT NULL)
EXECUTE FUNCTION stamp_session();

CREATE TRIGGER chat_sessions_times
BEFORE UPDATE ON chat_sessions
FOR EACH ROW
WHEN ((old.status, old.ended_at) IS DISTINCT FROM (new.status, new.ended_at))
EXECUTE FUNCTION stamp_session();

CREATE TRIGGER chat_sessions_updated_at
BEFORE UPDATE ON chat_sessions
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
