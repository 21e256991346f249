-- depends: 0157_projects
-- Own tasks only; triggers see that the project is one's own.
REVOKE ALL ON tasks FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY tasks_user_access ON tasks
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY tasks_service_all ON tasks
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO authenticated;
