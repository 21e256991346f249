-- depends: 0039_pending_suggestions
-- The states of an intervention and their times. A user acknowledges, completes, dismisses and gives feedback; the
-- rest is the service's.
CREATE FUNCTION stamp_intervention()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_now CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF tg_op = 'INSERT' THEN
        -- An import states its times, or all of them are now.
        IF new.status IN ('delivered', 'acknowledged', 'completed') THEN
            new.delivered_at := coalesce(new.delivered_at, c_now);
        END IF;
        IF new.status IN ('acknowledged', 'completed') THEN
            new.acknowledged_at := coalesce(new.acknowledged_at, new.delivered_at);
        END IF;
        IF new.status = 'completed' THEN
            new.completed_at := coalesce(new.completed_at, new.acknowledged_at);
        END IF;
        RETURN new;
    END IF;

    new.delivered_at := old.delivered_at;
    new.acknowledged_at := old.acknowledged_at;
    new.completed_at := old.completed_at;
    IF new.status IS DISTINCT FROM old.status THEN
        IF new.status IN ('delivered', 'failed') AND NOT platform.is_service() THEN
            RAISE EXCEPTION USING
                ERRCODE = 'insufficient_privilege',
                MESSAGE = format('a user does not set an intervention to "%s"', new.status),
                HINT = 'A user may acknowledge, complete or dismiss it.',
                CONSTRAINT = 'interventions_user_status_check',
                TABLE = 'interventions',
                SCHEMA = tg_table_schema;
        END IF;
        -- greatest(), should the server's clock have been set back.
        CASE new.status
            WHEN 'delivered' THEN new.delivered_at := c_now;
            WHEN 'acknowledged' THEN new.acknowledged_at := greatest(c_now, old.delivered_at);
            WHEN 'completed' THEN new.completed_at := greatest(c_now, old.acknowledged_at);
            ELSE NULL;
        END CASE;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_intervention() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_intervention() IS
'Trigger: sets delivered_at, acknowledged_at and completed_at; delivery and failure are the service''s to say.';

CREATE TRIGGER interventions_authority
BEFORE UPDATE ON interventions
FOR EACH ROW
WHEN (
    (old.agent_activity_id, old.category, old.title, old.message, old.scheduled_for, old.metadata)
    IS DISTINCT FROM (new.agent_activity_id, new.category, new.title, new.message, new.scheduled_for, new.metadata)
)
EXECUTE FUNCTION platform.refuse_change_by_user(
    'interventions', 'interventions_authority_check',
    'agent_activity_id', 'category', 'title', 'message', 'scheduled_for', 'metadata'
);

CREATE TRIGGER interventions_immutable
BEFORE UPDATE ON interventions
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('interventions', 'interventions_immutable_check', 'id', 'user_id');

CREATE TRIGGER interventions_maintain
BEFORE UPDATE ON interventions
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER interventions_status
BEFORE UPDATE ON interventions
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'interventions', 'interventions_status_transition_check', 'status', 'scheduled',
    'scheduled>delivered', 'scheduled>dismissed', 'scheduled>failed',
    'delivered>acknowledged', 'delivered>dismissed', 'delivered>failed',
    'acknowledged>completed', 'acknowledged>dismissed'
);

-- Its name comes after that of the state machine.
CREATE TRIGGER interventions_times
BEFORE INSERT OR UPDATE ON interventions
FOR EACH ROW
EXECUTE FUNCTION stamp_intervention();

CREATE TRIGGER update_interventions_updated_at
BEFORE UPDATE ON interventions
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
