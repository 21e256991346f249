-- depends: 0003_is_service
-- Counters and states are written by definer functions, which run as the owner of the table, and by a DBA who is
-- allowed to act as the owner. Everybody else is kept from writing them.
CREATE FUNCTION is_maintainer(p_table oid)
RETURNS boolean
LANGUAGE sql
STABLE
BEGIN ATOMIC
    SELECT pg_has_role(current_user, relowner, 'USAGE')
    FROM pg_catalog.pg_class
    WHERE oid = p_table;
END;
REVOKE ALL ON FUNCTION is_maintainer(oid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION is_maintainer(oid) IS
'Whether the present role may act as the owner of a table: true in definer functions, false for API roles.';
