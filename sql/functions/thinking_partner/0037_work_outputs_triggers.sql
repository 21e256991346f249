-- depends: 0036_claim_tickets
-- An output belongs to the owner of its ticket and stays there.
CREATE TRIGGER work_outputs_owner
BEFORE INSERT ON work_outputs
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('work_outputs', 'owner_id', 'ticket_id', 'work_tickets');

CREATE TRIGGER work_outputs_immutable
BEFORE UPDATE ON work_outputs
FOR EACH ROW
WHEN ((old.id, old.ticket_id, old.owner_id) IS DISTINCT FROM (new.id, new.ticket_id, new.owner_id))
EXECUTE FUNCTION platform.refuse_change('work_outputs', 'work_outputs_immutable_check', 'id', 'ticket_id', 'owner_id');

CREATE TRIGGER work_outputs_maintain
BEFORE INSERT OR UPDATE ON work_outputs
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');
