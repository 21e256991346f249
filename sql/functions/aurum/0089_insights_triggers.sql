-- depends: 0088_entity_exists
-- A new version stands for its predecessor: it is numbered one higher, is about the same, and the older one rests.
CREATE FUNCTION succeed_insight()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_previous insights;
BEGIN
    IF new.previous_version_id IS NULL THEN
        new.version := 1;
        RETURN new;
    END IF;
    SELECT i.* INTO v_previous
    FROM insights AS i
    WHERE i.id = new.previous_version_id AND i.user_id = new.user_id
    FOR NO KEY UPDATE;
    IF NOT found THEN
        PERFORM refuse_parent('insights_previous_version_id_fkey', 'insights', 'insights', tg_table_schema);
    ELSIF (v_previous.entity_type, v_previous.entity_id) IS DISTINCT FROM (new.entity_type, new.entity_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a new version of an insight is about the same as the one before',
            HINT = 'Send the entity_type and entity_id of the previous version.',
            CONSTRAINT = 'insights_previous_version_entity_check',
            TABLE = 'insights',
            SCHEMA = tg_table_schema;
    END IF;
    new.version := v_previous.version + 1;
    UPDATE insights AS i SET is_active = FALSE WHERE i.id = v_previous.id AND i.is_active;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION succeed_insight() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION succeed_insight() IS 'Trigger: a new version of an insight stands for its predecessor.';

CREATE FUNCTION keep_superseded()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    new.is_active := NOT EXISTS (SELECT 1 FROM insights AS i WHERE i.previous_version_id = new.id);
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION keep_superseded() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION keep_superseded() IS
'Trigger: an insight that has a newer version stays inactive, whatever is written.';

CREATE TRIGGER insights_superseded
BEFORE UPDATE ON insights
FOR EACH ROW
WHEN (new.is_active AND NOT old.is_active)
EXECUTE FUNCTION keep_superseded();

CREATE TRIGGER insights_version
BEFORE INSERT ON insights
FOR EACH ROW
EXECUTE FUNCTION succeed_insight();

CREATE TRIGGER insights_immutable
BEFORE UPDATE ON insights
FOR EACH ROW
WHEN (
    (old.id, old.user_id, old.entity_type, old.entity_id)
    IS DISTINCT FROM (new.id, new.user_id, new.entity_type, new.entity_id)
    OR (new.previous_version_id IS NOT NULL AND old.previous_version_id IS DISTINCT FROM new.previous_version_id)
)
EXECUTE FUNCTION platform.refuse_change(
    'insights', 'insights_immutable_check', 'id', 'user_id', 'entity_type', 'entity_id', 'previous_version_id'
);

-- The version, too, is kept and not refused: in an upsert it is that of a new insight until the update begins.
CREATE TRIGGER insights_maintain
BEFORE INSERT OR UPDATE ON insights
FOR EACH ROW
EXECUTE FUNCTION platform.maintain_columns('{"application_count": 0, "version": 1}', '{"created_at": "now"}');

CREATE TRIGGER insights_updated_at
BEFORE UPDATE ON insights
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column('last_accessed_at');
