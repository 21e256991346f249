-- depends: 0041_claim_due_interventions
-- Validations of an activity take effect one after the other, and their ids are in that order: the highest is the
-- latest, also when two came at the same moment.
CREATE FUNCTION order_validations()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM FROM agent_activities AS a WHERE a.id = new.agent_activity_id FOR NO KEY UPDATE;
    PERFORM FROM ethical_validations AS v WHERE v.agent_activity_id = new.agent_activity_id AND v.id > new.id LIMIT 1;
    IF found THEN
        new.id := nextval('ethical_validations_id_seq');
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION order_validations() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION order_validations() IS
'Trigger: one validation of an activity at a time, ids in the order in which they take effect.';

CREATE TRIGGER ethical_validations_order
BEFORE INSERT ON ethical_validations
FOR EACH ROW
WHEN (new.agent_activity_id IS NOT NULL)
EXECUTE FUNCTION order_validations();
