DROP TRIGGER workspaces_updated_at ON workspaces;
DROP TRIGGER workspaces_maintain ON workspaces;
DROP TRIGGER workspaces_immutable ON workspaces;
DROP TRIGGER workspaces_authority_insert ON workspaces;
DROP TRIGGER workspaces_authority ON workspaces;
