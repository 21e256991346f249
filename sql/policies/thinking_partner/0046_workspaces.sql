-- depends: 0045_schema_usage
-- One's own; what is paid for is workspaces_authority's business.
CREATE POLICY workspaces_user_access ON workspaces
FOR ALL TO authenticated
USING (owner_id = (SELECT current_user_id()))
WITH CHECK (owner_id = (SELECT current_user_id()));

CREATE POLICY workspaces_service_all ON workspaces
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON workspaces TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON workspaces TO authenticated;
