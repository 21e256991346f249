-- depends: 0034_get_or_create_workspace
-- The states of a ticket, and what stands beside them.
CREATE FUNCTION stamp_ticket()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF tg_op = 'UPDATE' THEN
        new.started_at := old.started_at;
        new.completed_at := old.completed_at;
    END IF;
    IF new.status = 'pending' THEN
        new.started_at := NULL;
    ELSE
        new.started_at := coalesce(new.started_at, clock_timestamp());
    END IF;
    IF new.status IN ('completed', 'failed') THEN
        new.completed_at := coalesce(new.completed_at, clock_timestamp());
    ELSE
        new.completed_at := NULL;
    END IF;
    IF new.status <> 'running' THEN
        new.claimed_until := NULL;
    ELSE
        new.claimed_until := coalesce(new.claimed_until, clock_timestamp() + interval '10 minutes');
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_ticket() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_ticket() IS 'Trigger: started_at, completed_at and claimed_until follow status.';

CREATE TRIGGER work_tickets_owner
BEFORE INSERT ON work_tickets
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('work_tickets', 'owner_id', 'project_id', 'projects');

CREATE TRIGGER work_tickets_immutable
BEFORE UPDATE ON work_tickets
FOR EACH ROW
WHEN ((old.id, old.owner_id) IS DISTINCT FROM (new.id, new.owner_id))
EXECUTE FUNCTION platform.refuse_change('work_tickets', 'work_tickets_immutable_check', 'id', 'owner_id');

CREATE TRIGGER work_tickets_maintain
BEFORE INSERT OR UPDATE ON work_tickets
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER work_tickets_status
BEFORE UPDATE ON work_tickets
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'work_tickets', 'work_tickets_status_transition_check', 'status', 'pending',
    'pending>running', 'running>completed', 'running>failed'
);

-- After the insert, which an upsert of a ticket that is there already never comes to.
CREATE TRIGGER work_tickets_status_insert
AFTER INSERT ON work_tickets
FOR EACH ROW
WHEN (new.status <> 'pending')
EXECUTE FUNCTION platform.guard_state('work_tickets', 'work_tickets_status_transition_check', 'status', 'pending');

-- Its name comes after that of the state machine.
CREATE TRIGGER work_tickets_times
BEFORE INSERT OR UPDATE ON work_tickets
FOR EACH ROW
EXECUTE FUNCTION stamp_ticket();
