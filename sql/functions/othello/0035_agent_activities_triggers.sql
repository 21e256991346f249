-- depends: 0034_merge_traits
-- The states of an activity. Who approves, and whether it may be executed, is in the two files that follow.
CREATE FUNCTION write_outcome()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'INSERT' THEN
        new.executed_at := CASE WHEN new.status = 'executed' THEN coalesce(new.executed_at, now()) END;
        RETURN new;
    END IF;
    IF new.status = 'executed' AND old.status <> 'executed' THEN
        new.executed_at := now();
    ELSE
        new.executed_at := old.executed_at;
    END IF;
    IF new.result IS DISTINCT FROM old.result
        AND NOT (old.status = 'approved' AND new.status IN ('executed', 'failed'))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('the result of an activity that is "%s" cannot change', old.status),
            HINT = 'State the result in the UPDATE that sets status to executed or failed.',
            CONSTRAINT = 'agent_activities_result_check',
            TABLE = 'agent_activities',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION write_outcome() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION write_outcome() IS 'Trigger: executed_at is the database''s, result is stated once, on execution.';

CREATE TRIGGER agent_activities_immutable
BEFORE UPDATE ON agent_activities
FOR EACH ROW
WHEN (
    (old.id, old.user_id, old.payload, old.consent_required, old.consent_tier_required)
    IS DISTINCT FROM (new.id, new.user_id, new.payload, new.consent_required, new.consent_tier_required)
)
EXECUTE FUNCTION platform.refuse_change(
    'agent_activities', 'agent_activities_immutable_check',
    'id', 'user_id', 'payload', 'consent_required', 'consent_tier_required'
);

CREATE TRIGGER agent_activities_maintain
BEFORE UPDATE ON agent_activities
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

-- Triggers fire in the order of their names: first whether the step exists, then whether it is allowed now.
CREATE TRIGGER agent_activities_status
BEFORE UPDATE ON agent_activities
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'agent_activities', 'agent_activities_status_transition_check', 'status', 'proposed',
    'proposed>pending_consent', 'proposed>approved', 'proposed>rejected',
    'pending_consent>approved', 'pending_consent>rejected',
    'approved>executed', 'approved>failed'
);

CREATE TRIGGER agent_activities_write_outcome
BEFORE INSERT OR UPDATE ON agent_activities
FOR EACH ROW
EXECUTE FUNCTION write_outcome();

CREATE TRIGGER update_agent_activities_updated_at
BEFORE UPDATE ON agent_activities
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
