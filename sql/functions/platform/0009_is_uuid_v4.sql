-- depends: 0008_is_not_blank
-- uuid_extract_version() comes with PostgreSQL 17 only.
-- Null for null without STRICT, which would keep AND and OR from being inlined: a call takes six times as long.
CREATE FUNCTION is_uuid_v4(p_value uuid)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN substr(p_value::text, 15, 1) = '4' AND substr(p_value::text, 20, 1) IN ('8', '9', 'a', 'b');
REVOKE ALL ON FUNCTION is_uuid_v4(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_uuid_v4(uuid) IS
'Whether a UUID says of itself that it is random: version 4, variant 1 (RFC 9562).';
