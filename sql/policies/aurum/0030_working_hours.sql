-- depends: 0029_timezones_names
-- Before the CHECK that calls it: profiles are written while this upgrade runs.
GRANT EXECUTE ON FUNCTION is_working_hours(jsonb) TO authenticated, service_role;
