-- depends: 0035_agent_activities_triggers
-- Where consent is required nothing is approved without the user's answer; the latest answer counts. A service that
-- imports history states other states freely, but not this one, which allows something in the future.
CREATE FUNCTION guard_approval()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_answer consent_action;
BEGIN
    IF tg_op = 'INSERT' AND platform.is_maintainer(tg_relid) THEN
        RETURN NULL;
    ELSIF tg_op = 'UPDATE' AND old.status = 'pending_consent' THEN
        SELECT l.action INTO v_answer
        FROM consent_logs AS l
        WHERE
            l.agent_activity_id = new.id
            AND l.user_id = new.user_id
            AND l.action IN ('approved', 'denied', 'deferred')
        ORDER BY l.id DESC
        LIMIT 1;
        IF v_answer = 'approved' THEN
            RETURN new;
        END IF;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = format('activity %s needs the user''s consent, and there is none', new.id),
        HINT = 'Set status to pending_consent; the user answers with respond_to_activity().',
        CONSTRAINT = 'agent_activities_consent_check',
        TABLE = 'agent_activities',
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION guard_approval() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION guard_approval() IS
'Trigger: an activity with consent_required is approved only after the user has approved it in consent_logs.';

CREATE TRIGGER agent_activities_status_approval
BEFORE UPDATE ON agent_activities
FOR EACH ROW
WHEN (new.consent_required AND new.status = 'approved' AND old.status <> 'approved')
EXECUTE FUNCTION guard_approval();

-- After the insert, which an upsert of a row that is there already never comes to.
CREATE TRIGGER agent_activities_insert_approval
AFTER INSERT ON agent_activities
FOR EACH ROW
WHEN (new.consent_required AND new.status = 'approved')
EXECUTE FUNCTION guard_approval();
