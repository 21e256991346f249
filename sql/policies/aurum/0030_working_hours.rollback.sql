REVOKE EXECUTE ON FUNCTION is_working_hours(jsonb) FROM authenticated, service_role;
