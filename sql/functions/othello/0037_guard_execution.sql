-- depends: 0036_guard_approval
-- Execution is allowed by the tier and the ethics of that moment. Whoever changes a tier locks the user's row, whoever
-- validates locks the activity's: a change that is committed is seen, one that is not waits for the execution.
CREATE FUNCTION guard_execution()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_tier consent_tier_level;
    v_result validation_result;
    v_overridden boolean;
BEGIN
    PERFORM FROM users AS u WHERE u.id = new.user_id AND u.is_active AND u.deleted_at IS NULL FOR SHARE;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('activity %s cannot be executed: its user is not active', new.id),
            HINT = 'Set status to failed.',
            CONSTRAINT = 'agent_activities_tier_check',
            TABLE = 'agent_activities',
            SCHEMA = tg_table_schema;
    END IF;

    -- Of the new row a generated column is not computed yet; the payload it comes from does not change.
    v_tier := effective_tier(new.user_id, old.scope);
    IF v_tier < new.consent_tier_required THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format(
                'activity %s needs tier "%s" in scope %s, and the user''s is "%s"',
                new.id, new.consent_tier_required, old.scope, v_tier
            ),
            HINT = 'The user may raise the tier in consent_tiers; else set status to failed.',
            CONSTRAINT = 'agent_activities_tier_check',
            TABLE = 'agent_activities',
            SCHEMA = tg_table_schema;
    END IF;

    SELECT v.result, v.overridden_by_user INTO v_result, v_overridden
    FROM (
        SELECT ev.id, ev.result, ev.overridden_by_user
        FROM ethical_validations AS ev
        WHERE ev.agent_activity_id = new.id
        UNION ALL
        SELECT av.id, av.result, av.overridden_by_user
        FROM archived_ethical_validations AS av
        WHERE av.agent_activity_id = new.id
    ) AS v
    ORDER BY v.id DESC
    LIMIT 1;
    IF v_result IN ('blocked', 'escalated') AND NOT v_overridden THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = format('activity %s cannot be executed: its latest ethical validation is "%s"', new.id, v_result),
            HINT = 'The user may override it with override_validation() where that is allowed; else set status to failed.',
            CONSTRAINT = 'agent_activities_ethics_check',
            TABLE = 'agent_activities',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION guard_execution() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION guard_execution() IS
'Trigger: an activity is executed only for an active user, with a sufficient tier and no standing ethical objection.';

CREATE TRIGGER agent_activities_status_execution
BEFORE UPDATE ON agent_activities
FOR EACH ROW
WHEN (new.status = 'executed' AND old.status <> 'executed')
EXECUTE FUNCTION guard_execution();
