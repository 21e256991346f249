-- depends: 0057_refresh_character_stats
-- Definer functions: nobody writes the log by themselves. An account that goes leaves no log of all that goes with it.

-- Arguments: the table; the columns that are left out, secrets and what the database counts by itself; and those of
-- which only length and sha256 are kept.
CREATE FUNCTION log_change()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    c_left_out CONSTANT text[] := tg_argv[1]::text[];
    c_long CONSTANT text[] := tg_argv[2]::text[];
    c_old CONSTANT jsonb := CASE WHEN tg_op <> 'INSERT' THEN to_jsonb(old) - c_left_out END;
    c_new CONSTANT jsonb := CASE WHEN tg_op <> 'DELETE' THEN to_jsonb(new) - c_left_out END;
    c_row CONSTANT jsonb := coalesce(c_new, c_old);
    v_changes jsonb;
BEGIN
    IF tg_op = 'DELETE' AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.id = (c_row ->> 'user_id')::uuid) THEN
        RETURN NULL;
    END IF;

    -- A column that was null before, or is now, has no old or new value.
    SELECT
        jsonb_object_agg(
            c.name,
            (
                SELECT
                    jsonb_object_agg(
                        v.side, CASE WHEN c.name = ANY(c_long) THEN text_digest(v.value #>> '{}') ELSE v.value END
                    )
                FROM (VALUES ('old', c_old -> c.name), ('new', c_new -> c.name)) AS v (side, value)
                WHERE v.value <> 'null'
            )
        )
    INTO v_changes
    FROM jsonb_object_keys(c_row) AS c (name)
    WHERE coalesce(c_old -> c.name, 'null') <> coalesce(c_new -> c.name, 'null');

    IF v_changes IS NOT NULL THEN
        INSERT INTO audit_logs (user_id, action, entity_type, entity_id, changes, ip_address, user_agent)
        SELECT current_user_id(), lower(tg_op COLLATE "C"), tg_argv[0], (c_row ->> 'id')::uuid, v_changes, o.ip_address, o.user_agent
        FROM platform.request_origin() AS o;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION log_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION log_change() IS 'Trigger: writes into audit_logs who changed which columns.';

CREATE FUNCTION text_digest(p_value text)
RETURNS jsonb
LANGUAGE sql
IMMUTABLE STRICT
RETURN jsonb_build_object(
    'length', length(p_value), 'sha256', encode(sha256(convert_to(p_value, 'UTF8')), 'hex')
);
REVOKE ALL ON FUNCTION text_digest(text) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION text_digest(text) IS 'Length and sha256 of a text, which stand for it in the log.';

CREATE FUNCTION refuse_log_change()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = 'audit_logs is append-only',
        HINT = 'A log entry is never changed or removed.',
        CONSTRAINT = 'audit_logs_append_only_check',
        TABLE = 'audit_logs',
        SCHEMA = tg_table_schema;
END;
$$;
REVOKE ALL ON FUNCTION refuse_log_change() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION refuse_log_change() IS 'Trigger: refuses every change of the log, whoever makes it (42501).';

CREATE TRIGGER audit_logs_append_only
BEFORE UPDATE OR DELETE ON audit_logs
FOR EACH ROW
EXECUTE FUNCTION refuse_log_change();

CREATE TRIGGER audit_logs_append_only_truncate
BEFORE TRUNCATE ON audit_logs
FOR EACH STATEMENT
EXECUTE FUNCTION refuse_log_change();

CREATE TRIGGER characters_log
AFTER INSERT OR DELETE ON characters
FOR EACH ROW
EXECUTE FUNCTION log_change(
    'characters', '{conversation_count,average_rating,rating_count,rating_sum,updated_at}', '{}'
);

-- What the database counts by itself is no change that anybody made.
CREATE TRIGGER characters_log_update
AFTER UPDATE ON characters
FOR EACH ROW
WHEN (
    (old.conversation_count, old.rating_count, old.rating_sum)
    = (new.conversation_count, new.rating_count, new.rating_sum)
)
EXECUTE FUNCTION log_change(
    'characters', '{conversation_count,average_rating,rating_count,rating_sum,updated_at}', '{}'
);

CREATE TRIGGER knowledge_bases_log
AFTER INSERT OR DELETE ON knowledge_bases
FOR EACH ROW
EXECUTE FUNCTION log_change('knowledge_bases', '{document_count,total_chunks,updated_at}', '{}');

CREATE TRIGGER knowledge_bases_log_update
AFTER UPDATE ON knowledge_bases
FOR EACH ROW
WHEN ((old.document_count, old.total_chunks) = (new.document_count, new.total_chunks))
EXECUTE FUNCTION log_change('knowledge_bases', '{document_count,total_chunks,updated_at}', '{}');

CREATE TRIGGER documents_log
AFTER INSERT OR DELETE ON documents
FOR EACH ROW
EXECUTE FUNCTION log_change('documents', '{chunk_count}', '{content}');

CREATE TRIGGER documents_log_update
AFTER UPDATE ON documents
FOR EACH ROW
WHEN (old.chunk_count = new.chunk_count)
EXECUTE FUNCTION log_change('documents', '{chunk_count}', '{content}');

CREATE TRIGGER subscriptions_log
AFTER INSERT OR DELETE OR UPDATE ON subscriptions
FOR EACH ROW
EXECUTE FUNCTION log_change('subscriptions', '{updated_at}', '{}');

CREATE TRIGGER api_keys_log
AFTER INSERT OR DELETE ON api_keys
FOR EACH ROW
EXECUTE FUNCTION log_change('api_keys', '{key_hash,last_used_at}', '{}');

CREATE TRIGGER api_keys_log_update
AFTER UPDATE ON api_keys
FOR EACH ROW
WHEN (old.last_used_at IS NOT DISTINCT FROM new.last_used_at)
EXECUTE FUNCTION log_change('api_keys', '{key_hash,last_used_at}', '{}');
