-- depends: 0041_claim_due_interventions
-- Validations of an activity take effect one after the other, and their ids are in that order: the highest is the
-- latest, also when two came at the same moment, or some came with ids of their own. The activity is updated and not
-- only locked, so that an execution or an override with an older snapshot (REPEATABLE READ) fails instead of missing
-- the new row.
CREATE FUNCTION order_validations()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_latest bigint;
BEGIN
    UPDATE agent_activities AS a SET updated_at = now() WHERE a.id = new.agent_activity_id;
    SELECT max(v.id) INTO v_latest
    FROM (
        SELECT ev.id FROM ethical_validations AS ev WHERE ev.agent_activity_id = new.agent_activity_id
        UNION ALL
        SELECT av.id FROM archived_ethical_validations AS av WHERE av.agent_activity_id = new.agent_activity_id
    ) AS v;
    -- A row that is there already keeps its id, and is refused as a duplicate: imports can be repeated.
    IF v_latest > new.id AND NOT EXISTS (SELECT 1 FROM ethical_validations AS v WHERE v.id = new.id) THEN
        new.id := nextval('ethical_validations_id_seq');
        IF v_latest >= new.id THEN
            PERFORM setval('ethical_validations_id_seq', v_latest);
            new.id := nextval('ethical_validations_id_seq');
        END IF;
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
