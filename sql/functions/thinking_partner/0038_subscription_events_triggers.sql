-- depends: 0037_work_outputs_triggers
-- What the database fills in: whose event it is, and the hash by which the same payload is recognised.
CREATE FUNCTION hash_payload()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    new.payload_hash := encode(sha256(convert_to(new.payload::text, 'UTF8')), 'hex');
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION hash_payload() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION hash_payload() IS 'Trigger: payload_hash is the sha256 of payload.';

CREATE TRIGGER subscription_events_owner
BEFORE INSERT ON subscription_events
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('subscription_events', 'owner_id', 'workspace_id', 'workspaces');

CREATE TRIGGER subscription_events_payload
BEFORE INSERT ON subscription_events
FOR EACH ROW
EXECUTE FUNCTION hash_payload();
