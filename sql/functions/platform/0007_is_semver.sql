-- depends: 0006_is_identifier
-- Semantic Versioning 2.0.0, with pre-release and build: https://semver.org
CREATE FUNCTION is_semver(p_value text)
RETURNS boolean
LANGUAGE sql
IMMUTABLE STRICT PARALLEL SAFE
RETURN p_value ~ (
    '^(0|[1-9][0-9]*)[.](0|[1-9][0-9]*)[.](0|[1-9][0-9]*)'
    || '(-(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)([.](0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*)?'
    || '([+][0-9A-Za-z-]+([.][0-9A-Za-z-]+)*)?$'
);
REVOKE ALL ON FUNCTION is_semver(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_semver(text) IS
'Whether a text is a version by Semantic Versioning 2.0.0, as in 1.4.0 or 2.0.0-rc.1.';
