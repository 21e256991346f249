-- depends: 0161_insights
-- Own reflections only.
CREATE POLICY daily_reflections_user_access ON daily_reflections
FOR ALL TO authenticated
USING (user_id = (SELECT current_user_id()))
WITH CHECK (user_id = (SELECT current_user_id()));

CREATE POLICY daily_reflections_service_all ON daily_reflections
FOR ALL TO service_role
USING (TRUE)
WITH CHECK (TRUE);
GRANT SELECT, INSERT, UPDATE, DELETE ON daily_reflections TO service_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON daily_reflections TO authenticated;
