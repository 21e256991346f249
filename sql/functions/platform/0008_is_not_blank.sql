-- depends: 0007_is_semver
-- A visible ASCII character decides nearly always and at once. Else the white space is listed, because [:space:]
-- depends on the database's collation, and a CHECK must not.
-- Null for null without STRICT, which would keep AND and OR from being inlined: a call takes six times as long.
CREATE FUNCTION is_not_blank(p_value text)
RETURNS boolean
LANGUAGE sql
IMMUTABLE PARALLEL SAFE
RETURN p_value ~ '[!-~]' OR btrim(
    p_value,
    E' \t\n\u000B\f\r\u0085\u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A'
    || E'\u200B\u200C\u200D\u2028\u2029\u202F\u205F\u2060\u3000\uFEFF'
) <> '';
REVOKE ALL ON FUNCTION is_not_blank(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_not_blank(text) IS
'Whether a text has a visible character (Unicode white space and zero-width characters do not count).';
