REVOKE SELECT, INSERT, UPDATE, DELETE ON daily_reflections FROM authenticated;
REVOKE SELECT, INSERT, UPDATE, DELETE ON daily_reflections FROM service_role;
DROP POLICY daily_reflections_service_all ON daily_reflections;
DROP POLICY daily_reflections_user_access ON daily_reflections;
