-- depends: 0040_expire_subscriptions
-- The states of a message, and what stands beside them.
CREATE FUNCTION stamp_scheduled_message()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF new.status <> 'sent' THEN
        new.sent_at := NULL;
    ELSIF tg_op = 'UPDATE' THEN
        new.sent_at := coalesce(old.sent_at, clock_timestamp());
    ELSE
        new.sent_at := coalesce(new.sent_at, clock_timestamp());
    END IF;
    IF old.status = 'failed' AND new.status <> 'failed' THEN
        new.failure_reason := NULL;
    END IF;
    IF new.status <> 'pending' THEN
        new.claimed_until := NULL;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_scheduled_message() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_scheduled_message() IS 'Trigger: sent_at, failure_reason and claimed_until follow status.';

CREATE TRIGGER scheduled_messages_owner
BEFORE INSERT ON scheduled_messages
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('scheduled_messages', 'owner_id', 'workspace_id', 'workspaces');

CREATE TRIGGER scheduled_messages_immutable
BEFORE UPDATE ON scheduled_messages
FOR EACH ROW
WHEN ((old.id, old.workspace_id, old.owner_id) IS DISTINCT FROM (new.id, new.workspace_id, new.owner_id))
EXECUTE FUNCTION platform.refuse_change(
    'scheduled_messages', 'scheduled_messages_immutable_check', 'id', 'workspace_id', 'owner_id'
);

CREATE TRIGGER scheduled_messages_status
BEFORE UPDATE ON scheduled_messages
FOR EACH ROW
WHEN (old.status IS DISTINCT FROM new.status)
EXECUTE FUNCTION platform.guard_state(
    'scheduled_messages', 'scheduled_messages_status_transition_check', 'status', 'pending',
    'pending>sent', 'pending>failed', 'failed>pending'
);

-- Its name comes after that of the state machine.
CREATE TRIGGER scheduled_messages_times
BEFORE INSERT OR UPDATE ON scheduled_messages
FOR EACH ROW
EXECUTE FUNCTION stamp_scheduled_message();
