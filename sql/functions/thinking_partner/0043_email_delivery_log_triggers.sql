-- depends: 0042_claim_due_messages
-- A log entry stays with its message; the time of the status is the database's.
CREATE FUNCTION stamp_delivery()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF new.status IS DISTINCT FROM old.status THEN
        new.status_updated_at := clock_timestamp();
    ELSE
        new.status_updated_at := old.status_updated_at;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION stamp_delivery() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION stamp_delivery() IS 'Trigger: status_updated_at is when status last changed.';

CREATE TRIGGER email_delivery_log_owner
BEFORE INSERT ON email_delivery_log
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('email_delivery_log', 'owner_id', 'scheduled_message_id', 'scheduled_messages');

CREATE TRIGGER email_delivery_log_immutable
BEFORE UPDATE ON email_delivery_log
FOR EACH ROW
WHEN (
    (old.id, old.scheduled_message_id, old.owner_id)
    IS DISTINCT FROM (new.id, new.scheduled_message_id, new.owner_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'email_delivery_log', 'email_delivery_log_immutable_check', 'id', 'scheduled_message_id', 'owner_id'
);

CREATE TRIGGER email_delivery_log_status
BEFORE UPDATE ON email_delivery_log
FOR EACH ROW
EXECUTE FUNCTION stamp_delivery();
