-- depends: 0025_assign_id
-- A new user begins passive in every scope; a deleted one is signed out, and nothing is brought to them any more.
CREATE FUNCTION initialize_consent_tiers()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_users CONSTANT bigint[] := ARRAY(SELECT n.id FROM new_rows AS n ORDER BY n.id);
BEGIN
    INSERT INTO consent_tiers (user_id, scope)
    SELECT n.user_id, s.scope
    FROM unnest(v_users) AS n (user_id)
    CROSS JOIN consent_scopes AS s;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION initialize_consent_tiers() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION initialize_consent_tiers() IS 'Trigger: gives a new user a passive tier in each consent scope.';

CREATE FUNCTION end_deleted_user()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
BEGIN
    UPDATE session_logs AS s
    SET is_active = FALSE, logout_at = clock_timestamp()
    WHERE s.user_id = new.id AND s.is_active;
    UPDATE interventions AS i
    SET status = 'dismissed'
    WHERE i.user_id = new.id AND i.status = 'scheduled';
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION end_deleted_user() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION end_deleted_user() IS
'Trigger: ends the sessions of a user who is deleted and dismisses what was scheduled for them.';

CREATE FUNCTION refuse_direct_deletion()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF platform.is_maintainer(tg_relid) THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = format('deleted_at of %s is set by %s() only', tg_argv[0], tg_argv[2]),
        HINT = format('Call %s(id).', tg_argv[2]),
        CONSTRAINT = tg_argv[1],
        TABLE = tg_argv[0],
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION refuse_direct_deletion() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_direct_deletion() IS
'Trigger: deleted_at changes through its function. Arguments: table, rule, function.';

CREATE TRIGGER users_initialize_consent
AFTER INSERT ON users
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION initialize_consent_tiers();

CREATE TRIGGER users_deleted_at
BEFORE UPDATE ON users
FOR EACH ROW
WHEN (old.deleted_at IS DISTINCT FROM new.deleted_at)
EXECUTE FUNCTION refuse_direct_deletion('users', 'users_deleted_at_check', 'soft_delete_user');

CREATE TRIGGER users_deleted
AFTER UPDATE ON users
FOR EACH ROW
WHEN (old.deleted_at IS NULL AND new.deleted_at IS NOT NULL)
EXECUTE FUNCTION end_deleted_user();

CREATE TRIGGER users_immutable
BEFORE UPDATE ON users
FOR EACH ROW
WHEN (old.id IS DISTINCT FROM new.id)
EXECUTE FUNCTION platform.refuse_change('users', 'users_immutable_check', 'id');

CREATE TRIGGER users_maintain
BEFORE UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER update_users_updated_at
BEFORE UPDATE ON users
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
