-- depends: 0002_auth
-- Whether the caller has service_role's rights. Inside a definer function current_user is the owner, but the setting
-- "role" still says whom the session acts as; the owner and superusers count as service, an API user never does.
CREATE FUNCTION is_service()
RETURNS boolean
LANGUAGE sql
STABLE
RETURN pg_has_role(
    coalesce(nullif(current_setting('role'), 'none')::name, session_user), 'service_role'::name, 'USAGE'
);
REVOKE ALL ON FUNCTION is_service() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_service() IS
'Whether the caller has the rights of service_role, also when asked inside a definer function.';
