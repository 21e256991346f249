-- depends: 0030_jobs
-- What hangs on a row belongs to its owner. The parent is looked up with the caller's rights: one that the caller may
-- not see is reported exactly like one that does not exist.
CREATE FUNCTION inherit_owner()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    c_table CONSTANT text := tg_argv[0];
    c_key CONSTANT text := tg_argv[1];
    c_parent CONSTANT text := tg_argv[2];
    c_id CONSTANT uuid := (to_jsonb(new) ->> c_key)::uuid;
    v_owner uuid;
BEGIN
    -- A statement for each, whose plan is kept; one that is put together would be planned for every row.
    CASE c_parent
        WHEN 'characters' THEN
            SELECT p.user_id INTO v_owner FROM characters AS p WHERE p.id = c_id;
        WHEN 'knowledge_bases' THEN
            SELECT p.user_id INTO v_owner FROM knowledge_bases AS p WHERE p.id = c_id;
        WHEN 'documents' THEN
            SELECT p.user_id INTO v_owner FROM documents AS p WHERE p.id = c_id;
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
    new.user_id := coalesce(new.user_id, v_owner);
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION inherit_owner() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION inherit_owner() IS
'Trigger: fills in user_id of a row from its parent. Arguments: table, key column, parent.';
