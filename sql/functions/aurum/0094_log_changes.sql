-- depends: 0093_audit_log
-- Definer functions: nobody writes the log by themselves. An account that goes takes its log along.

-- Arguments: what the row is called, and columns left out because they say what other rows say. So are embeddings and
-- what the database keeps of them.
CREATE FUNCTION log_change()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_left_out CONSTANT text[] := ARRAY[
        'updated_at', 'embedding_model', 'embedding_updated_at', 'embedding_hash', 'embedding_claimed_until'
    ] || tg_argv[1:];
    v_old jsonb;
    v_new jsonb;
    v_row jsonb;
BEGIN
    -- Vectors are taken out before they would be written out as text.
    IF tg_op <> 'INSERT' THEN
        CASE tg_argv[0]
            WHEN 'task' THEN
                old.description_embedding := NULL;
                old.name_embedding := NULL;
            WHEN 'project' THEN
                old.combined_embedding := NULL;
            WHEN 'journal_entry' THEN
                old.content_embedding := NULL;
                old.title_embedding := NULL;
            ELSE
                NULL;
        END CASE;
        v_old := to_jsonb(old) - c_left_out;
    END IF;
    IF tg_op <> 'DELETE' THEN
        CASE tg_argv[0]
            WHEN 'task' THEN
                new.description_embedding := NULL;
                new.name_embedding := NULL;
            WHEN 'project' THEN
                new.combined_embedding := NULL;
            WHEN 'journal_entry' THEN
                new.content_embedding := NULL;
                new.title_embedding := NULL;
            ELSE
                NULL;
        END CASE;
        v_new := to_jsonb(new) - c_left_out;
    END IF;
    v_row := coalesce(v_new, v_old);
    IF tg_op = 'UPDATE' THEN
        SELECT jsonb_object_agg(c.name, v_old -> c.name), jsonb_object_agg(c.name, v_new -> c.name)
        INTO v_old, v_new
        FROM jsonb_object_keys(v_new) AS c (name)
        WHERE v_old -> c.name <> v_new -> c.name;
        IF v_new IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO audit_log (user_id, action, entity_type, entity_id, old_values, new_values, ip_address, user_agent)
    SELECT
        (v_row ->> 'user_id')::uuid,
        CASE
            WHEN tg_op = 'INSERT' THEN 'create'
            WHEN tg_op = 'DELETE' THEN 'delete'
            WHEN v_new -> 'archived' = 'true' THEN 'archive'
            WHEN v_new -> 'archived' = 'false' THEN 'restore'
            ELSE 'update'
        END,
        tg_argv[0],
        (v_row ->> 'id')::uuid,
        v_old,
        v_new,
        o.ip_address,
        o.user_agent
    FROM platform.request_origin() AS o
    -- Not of an account that is just being deleted.
    WHERE tg_op <> 'DELETE' OR EXISTS (SELECT 1 FROM auth.users AS u WHERE u.id = (v_row ->> 'user_id')::uuid);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION log_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION log_change() IS 'Trigger: writes into audit_log what changed in a row.';
