-- depends: 0009_is_uuid_v4
-- An array column is a set where order and repetition mean nothing; a NULL in it would equal nothing, not even itself.
CREATE FUNCTION is_set(p_values text[])
RETURNS boolean
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT count(*) = count(DISTINCT e.value)
    FROM unnest(p_values) AS e (value);
END;
REVOKE ALL ON FUNCTION is_set(text[]) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_set(text[]) IS 'Whether an array has neither duplicates nor nulls.';
