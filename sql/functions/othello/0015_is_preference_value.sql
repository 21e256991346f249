-- depends: 0014_ethical_validations
-- One spelling for each type, that of JSON. The cast that decides about json raises, and its message would quote the
-- value: it is caught, so that a sensitive value shows in no error and in no log.
CREATE FUNCTION is_preference_value(p_value text, p_type text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
BEGIN
    IF p_value IS NULL THEN
        RETURN TRUE;
    END IF;
    CASE p_type
        WHEN 'boolean' THEN
            RETURN p_value IN ('true', 'false');
        WHEN 'number' THEN
            RETURN p_value ~ '^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$' AND jsonb_typeof(p_value::jsonb) = 'number';
        WHEN 'json' THEN
            RETURN jsonb_typeof(p_value::jsonb) IS NOT NULL;
        ELSE
            RETURN TRUE;
    END CASE;
EXCEPTION
    WHEN data_exception OR program_limit_exceeded OR statement_too_complex THEN
        RETURN FALSE;
END;
$$;
REVOKE ALL ON FUNCTION is_preference_value(text, text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_preference_value(text, text) IS
'Whether a text is a value of a type (string, number, boolean, json), written as in JSON; null is a value of each.';
