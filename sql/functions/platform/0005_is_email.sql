-- depends: 0004_is_maintainer
-- One "@", no white space or control character, a dotted domain, at most 254 characters (RFC 5321). Those beyond ASCII
-- are listed, because [:space:] depends on the database's collation.
-- Null for null without STRICT, which would keep AND and OR from being inlined: a call takes six times as long.
CREATE FUNCTION is_email(p_value text)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN length(p_value) <= 254
AND p_value ~ '^[^@[:space:][:cntrl:]]+@[^@.[:space:][:cntrl:]]+([.][^@.[:space:][:cntrl:]]+)+$'
AND p_value !~ '[\u0080-\u00A0\u1680\u2000-\u200D\u2028\u2029\u202F\u205F\u2060\u3000\uFEFF]';
REVOKE ALL ON FUNCTION is_email(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_email(text) IS
'Whether a text has the form of an e-mail address: one @, no spaces, a dotted domain, at most 254 characters.';
