-- depends: 0046_workspaces
-- Projects of one's own workspaces; owner_id is the workspace's owner by foreign key.
CREATE POLICY projects_user_access ON projects
FOR ALL TO authenticated
USING (owner_id = (SELECT current_user_id()))
WITH CHECK (owner_id = (SELECT current_user_id()));

CREATE POLICY projects_service_all ON projects
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO authenticated;
