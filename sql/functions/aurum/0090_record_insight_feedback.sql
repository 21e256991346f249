-- depends: 0089_insights_triggers
-- A definer function: application_count is counted and written by nobody.
CREATE FUNCTION record_insight_feedback(id uuid, feedback text, details jsonb DEFAULT NULL)
RETURNS insights
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_variable
DECLARE
    c_id CONSTANT uuid := id;
    v_insight insights;
BEGIN
    IF feedback IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'feedback is needed',
            HINT = 'It is accepted, rejected, modified or ignored.',
            CONSTRAINT = 'insights_user_feedback_check',
            TABLE = 'insights',
            SCHEMA = current_schema();
    END IF;
    UPDATE insights AS i
    SET
        user_feedback = feedback,
        feedback_details = details,
        application_count = i.application_count + (feedback IN ('accepted', 'modified'))::integer,
        last_accessed_at = now()
    WHERE i.id = c_id AND (i.user_id = current_user_id() OR platform.is_service())
    RETURNING i.* INTO v_insight;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no insight %s', c_id),
            HINT = 'Give the id of an insight of your own.',
            CONSTRAINT = 'insights_pkey',
            TABLE = 'insights',
            SCHEMA = current_schema();
    END IF;
    RETURN v_insight;
END;
$$;
REVOKE ALL ON FUNCTION record_insight_feedback(uuid, text, jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION record_insight_feedback(uuid, text, jsonb) IS
'Records what the user made of an insight and returns it; accepted and modified count as applied.';
