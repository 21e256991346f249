-- depends: 0011_is_jsonb_text_array
-- Strict, because lax would look for the numbers in arrays too.
CREATE FUNCTION is_jsonb_unit_object(p_value jsonb)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    jsonb_typeof(p_value) = 'object'
    AND NOT p_value @? 'strict $.* ? (@.type() != "number" || @ < 0 || @ > 1)',
    FALSE
);
REVOKE ALL ON FUNCTION is_jsonb_unit_object(jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_jsonb_unit_object(jsonb) IS
'Whether a JSON value is an object whose values are all numbers from 0 to 1.';
