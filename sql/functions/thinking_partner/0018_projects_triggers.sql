-- depends: 0017_workspaces_triggers
-- A project stays in its workspace: what hangs on it belongs to that owner.
CREATE TRIGGER projects_owner
BEFORE INSERT ON projects
FOR EACH ROW
WHEN (new.owner_id IS NULL)
EXECUTE FUNCTION inherit_owner('projects', 'owner_id', 'workspace_id', 'workspaces');

CREATE TRIGGER projects_immutable
BEFORE UPDATE ON projects
FOR EACH ROW
WHEN ((old.id, old.owner_id) IS DISTINCT FROM (new.id, new.owner_id))
EXECUTE FUNCTION platform.refuse_change('projects', 'projects_immutable_check', 'id', 'owner_id');

CREATE TRIGGER projects_maintain
BEFORE INSERT OR UPDATE ON projects
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now", "updated_at": "now"}');

CREATE TRIGGER projects_updated_at
BEFORE UPDATE ON projects
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
