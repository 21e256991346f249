DROP FUNCTION is_working_hours(jsonb);
