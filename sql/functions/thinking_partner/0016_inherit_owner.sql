-- depends: 0015_current_user_id
-- What hangs on a row belongs to its owner. The parent is looked up with the caller's rights: one that the caller may
-- not see is reported exactly like one that does not exist.
CREATE FUNCTION inherit_owner()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_table CONSTANT text := tg_argv[0];
    c_owner CONSTANT text := tg_argv[1];
    c_key CONSTANT text := tg_argv[2];
    c_parent CONSTANT text := tg_argv[3];
    c_id CONSTANT uuid := (to_jsonb(new) ->> c_key)::uuid;
    v_owner uuid;
BEGIN
    -- A statement for each, whose plan is kept; one that is put together would be planned for every row.
    CASE c_parent
        WHEN 'workspaces' THEN
            SELECT p.owner_id INTO v_owner FROM workspaces AS p WHERE p.id = c_id;
        WHEN 'projects' THEN
            SELECT p.owner_id INTO v_owner FROM projects AS p WHERE p.id = c_id;
        WHEN 'chat_sessions' THEN
            SELECT p.user_id INTO v_owner FROM chat_sessions AS p WHERE p.id = c_id;
        WHEN 'documents' THEN
            SELECT p.user_id INTO v_owner FROM documents AS p WHERE p.id = c_id;
        WHEN 'work_tickets' THEN
            SELECT p.owner_id INTO v_owner FROM work_tickets AS p WHERE p.id = c_id;
        WHEN 'scheduled_messages' THEN
            SELECT p.owner_id INTO v_owner FROM scheduled_messages AS p WHERE p.id = c_id;
    END CASE;
    IF v_owner IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format(
                'insert or update on table "%s" violates foreign key constraint "%s_%s_fkey"', c_table, c_table, c_key
            ),
            DETAIL = format('Key is not present in table "%s".', c_parent),
            CONSTRAINT = format('%s_%s_fkey', c_table, c_key),
            TABLE = c_table,
            SCHEMA = tg_table_schema;
    END IF;
    -- An owner that is stated is left to the policy and the foreign key.
    IF to_jsonb(new) ->> c_owner IS NULL THEN
        new := jsonb_populate_record(new, jsonb_build_object(c_owner, v_owner));
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION inherit_owner() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION inherit_owner() IS
'Trigger: fills in the owner of a row from its parent. Arguments: table, owner column, key column, parent.';
