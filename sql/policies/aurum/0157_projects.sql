-- depends: 0156_areas
-- Own projects only; triggers see that the area is one's own.
REVOKE ALL ON projects FROM PUBLIC, anon, authenticated, service_role;

CREATE POLICY projects_user_access ON projects
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY projects_service_all ON projects
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO authenticated;
