-- depends: 0026_user_behavior_patterns
-- For a CHECK: {"start": "09:00", "end": "17:30"}. Somebody who works at night ends earlier than they start.
CREATE FUNCTION is_working_hours(p_value jsonb)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN jsonb_typeof(p_value) = 'object'
AND coalesce(p_value ->> 'start' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', FALSE)
AND coalesce(p_value ->> 'end' ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$', FALSE);
REVOKE ALL ON FUNCTION is_working_hours(jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_working_hours(jsonb) IS 'Whether a JSON value has start and end as HH:MM.';
