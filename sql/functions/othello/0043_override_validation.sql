-- depends: 0042_ethical_validations_triggers
-- A definer function: users write no validations. Only the latest can be overridden, else the copy of an older one
-- would outrank a newer objection.
CREATE FUNCTION override_validation(p_id bigint, p_reason text)
RETURNS ethical_validations
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user CONSTANT bigint := current_user_id();
    c_service CONSTANT boolean := platform.is_service();
    v_old ethical_validations;
    v_new ethical_validations;
    v_rule text;
    v_message text;
BEGIN
    SELECT v.* INTO v_old
    FROM ethical_validations AS v
    WHERE v.id = p_id AND (v.user_id = c_user OR c_service);
    IF NOT found THEN
        -- One that went to the archive with its message still stops its activity, and can still be overridden.
        SELECT
            v.id, v.user_id, NULL::bigint, v.agent_activity_id, v.validator, v.result, v.rules_applied, v.concerns, v.reasoning,
            v.override_allowed, v.overridden_by_user, v.metadata, v.created_at
        INTO v_old
        FROM archived_ethical_validations AS v
        WHERE v.id = p_id AND v.agent_activity_id IS NOT NULL AND (v.user_id = c_user OR c_service);
    END IF;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no validation %s', p_id),
            HINT = 'Give the id of a validation of your own.';
    END IF;
    -- Only now: until here nobody else may be made to wait.
    PERFORM FROM agent_activities AS a WHERE a.id = v_old.agent_activity_id FOR NO KEY UPDATE;

    IF NOT v_old.override_allowed THEN
        v_rule := 'ethical_validations_override_check';
        v_message := format('validation %s allows no override', p_id);
    ELSIF v_old.result = 'passed' OR v_old.overridden_by_user THEN
        v_rule := 'ethical_validations_override_result_check';
        v_message := format('validation %s stands in nobody''s way', p_id);
    ELSIF NOT coalesce(platform.is_not_blank(p_reason), FALSE) THEN
        v_rule := 'ethical_validations_override_reason_check';
        v_message := 'an override needs a reason';
    ELSIF EXISTS (
        SELECT 1
        FROM ethical_validations AS v
        WHERE
            v.id > v_old.id
            AND (v.agent_activity_id = v_old.agent_activity_id OR v.message_id = v_old.message_id)
    ) OR EXISTS (
        SELECT 1
        FROM archived_ethical_validations AS v
        WHERE v.id > v_old.id AND v.agent_activity_id = v_old.agent_activity_id
    ) THEN
        v_rule := 'ethical_validations_override_latest_check';
        v_message := format('validation %s is not the latest', p_id);
    END IF;
    IF v_rule IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = v_message,
            HINT = 'Override, with a reason, the latest validation that objects and has override_allowed.',
            CONSTRAINT = v_rule,
            TABLE = 'ethical_validations',
            SCHEMA = current_schema();
    END IF;

    INSERT INTO ethical_validations (
        user_id, message_id, agent_activity_id, validator, result, rules_applied, concerns, reasoning,
        override_allowed, overridden_by_user, metadata
    )
    VALUES (
        v_old.user_id, v_old.message_id, v_old.agent_activity_id, v_old.validator, v_old.result, v_old.rules_applied,
        v_old.concerns, v_old.reasoning, TRUE, TRUE,
        coalesce(CASE WHEN jsonb_typeof(v_old.metadata) = 'object' THEN v_old.metadata END, '{}')
        || jsonb_build_object('overrides', p_id, 'override_reason', p_reason)
        || CASE WHEN v_old.user_id IS DISTINCT FROM c_user THEN '{"recorded_by": "service_role"}' ELSE '{}' END::jsonb
    )
    RETURNING * INTO v_new;
    RETURN v_new;
END;
$$;
REVOKE ALL ON FUNCTION override_validation(bigint, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION override_validation(bigint, text) IS
'Overrides the caller''s latest validation of an activity or message, where override_allowed: appends a copy with '
'overridden_by_user and returns it.';
