-- depends: 0018_projects_triggers
-- What never changes, and what the database keeps.
CREATE TRIGGER memories_immutable
BEFORE UPDATE ON memories
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('memories', 'memories_immutable_check', 'id', 'user_id');

CREATE TRIGGER memories_maintain_insert
BEFORE INSERT ON memories
FOR EACH ROW
WHEN ((new.created_at, new.updated_at) IS DISTINCT FROM (now(), now()) AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER memories_maintain_update
BEFORE UPDATE ON memories
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER memories_updated_at
BEFORE UPDATE ON memories
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
