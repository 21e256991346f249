-- depends: 0010_is_set
-- Strict, because lax looks for the strings in an array of arrays.
CREATE FUNCTION is_jsonb_text_array(p_value jsonb)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN coalesce(jsonb_typeof(p_value) = 'array' AND NOT p_value @? 'strict $[*] ? (@.type() != "string")', FALSE);
REVOKE ALL ON FUNCTION is_jsonb_text_array(jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_jsonb_text_array(jsonb) IS
'Whether a JSON value is an array of strings; false for null and for a missing key.';
