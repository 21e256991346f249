-- depends: 0037_guard_execution
-- A definer function: users write neither activities nor logs. Another's activity is answered like a missing one.
CREATE FUNCTION respond_to_activity(p_activity_id bigint, p_action consent_action, p_reason text DEFAULT NULL)
RETURNS agent_activities
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user CONSTANT bigint := current_user_id();
    c_service CONSTANT boolean := platform.is_service();
    v_activity agent_activities;
BEGIN
    IF p_action IS NULL OR p_action NOT IN ('approved', 'denied', 'deferred') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('"%s" is no answer to an activity', p_action),
            HINT = 'Answer approved, denied or deferred.';
    END IF;

    SELECT a.* INTO v_activity
    FROM agent_activities AS a
    WHERE a.id = p_activity_id AND (a.user_id = c_user OR c_service)
    FOR NO KEY UPDATE;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no activity %s', p_activity_id),
            HINT = 'Give the id of an activity of your own.';
    ELSIF v_activity.status NOT IN ('proposed', 'pending_consent') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('activity %s is "%s" and takes no answer any more', p_activity_id, v_activity.status),
            HINT = 'Answer an activity that is proposed or pending_consent.',
            CONSTRAINT = 'agent_activities_status_transition_check',
            TABLE = 'agent_activities',
            SCHEMA = current_schema();
    END IF;

    -- To answer a proposal is to have been asked.
    IF v_activity.status = 'proposed' AND p_action <> 'denied' THEN
        UPDATE agent_activities AS a SET status = 'pending_consent' WHERE a.id = p_activity_id RETURNING a.* INTO v_activity;
    END IF;
    INSERT INTO consent_logs (user_id, agent_activity_id, action, scope, reason, metadata)
    VALUES (
        v_activity.user_id, p_activity_id, p_action, v_activity.scope, p_reason,
        CASE WHEN v_activity.user_id IS DISTINCT FROM c_user THEN '{"recorded_by": "service_role"}'::jsonb END
    );
    IF p_action <> 'deferred' THEN
        UPDATE agent_activities AS a
        SET status = CASE p_action WHEN 'approved' THEN 'approved' ELSE 'rejected' END::agent_activity_status
        WHERE a.id = p_activity_id
        RETURNING a.* INTO v_activity;
    END IF;
    RETURN v_activity;
END;
$$;
REVOKE ALL ON FUNCTION respond_to_activity(bigint, consent_action, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION respond_to_activity(bigint, consent_action, text) IS
'The user''s answer to an activity: approved, denied (it is rejected) or deferred (it stays pending). Writes '
'consent_logs and moves the state in one step; returns the activity.';
