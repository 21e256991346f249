-- depends: 0008_vector
-- The only place that maps the caller to a user; here a user is who the token says.
CREATE FUNCTION current_user_id()
RETURNS uuid
LANGUAGE sql
STABLE
RETURN auth.uid();
REVOKE ALL ON FUNCTION current_user_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION current_user_id() IS 'The caller''s auth.users.id; null for a visitor and a service.';
