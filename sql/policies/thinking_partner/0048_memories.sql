-- depends: 0047_projects
-- Own memories only.
CREATE POLICY memories_user_access ON memories
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY memories_service_all ON memories
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON memories TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON memories TO authenticated;
