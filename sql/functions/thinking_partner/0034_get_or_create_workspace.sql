-- depends: 0033_get_document_with_stats
-- The lock is held to the end of the caller's transaction, so that who waited sees what the other has made.
CREATE FUNCTION get_or_create_workspace(p_name text DEFAULT 'My Workspace')
RETURNS workspaces
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_user CONSTANT uuid := current_user_id();
    v_workspace workspaces;
BEGIN
    IF c_user IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'get_or_create_workspace() gives its caller a workspace, who is no user',
            HINT = 'Call it with a user''s token; services insert into workspaces.',
            CONSTRAINT = 'workspaces_user_check',
            TABLE = 'workspaces',
            SCHEMA = current_schema();
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(concat_ws(':', current_schema(), 'workspaces', c_user), 0));
    SELECT w.* INTO v_workspace
    FROM workspaces AS w
    WHERE w.owner_id = c_user
    ORDER BY w.created_at, w.id
    LIMIT 1;
    IF NOT found THEN
        INSERT INTO workspaces (name, owner_id) VALUES (p_name, c_user) RETURNING * INTO v_workspace;
    END IF;
    RETURN v_workspace;
END;
$$;
REVOKE ALL ON FUNCTION get_or_create_workspace(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION get_or_create_workspace(text) IS
'The caller''s first workspace; a new one of this name where there is none.';
