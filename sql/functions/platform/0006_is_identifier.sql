-- depends: 0005_is_email
-- For names that are typed by people and stand in addresses: one spelling each.
CREATE FUNCTION is_identifier(p_value text)
RETURNS boolean
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
RETURN p_value ~ '^[a-z][a-z0-9_]*$';
REVOKE ALL ON FUNCTION is_identifier(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_identifier(text) IS
'Whether a text is an identifier: lower-case letters, digits and underscores, starting with a letter.';
