-- depends: 0087_tasks_completion_validate
-- What insights and time entries are about: a row of the same user, which stays as long as they are written. It is
-- looked up with the caller's rights.
CREATE FUNCTION check_entity()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    CASE new.entity_type
        WHEN 'pillar' THEN
            PERFORM FROM pillars AS e WHERE e.id = new.entity_id AND e.user_id = new.user_id FOR KEY SHARE;
        WHEN 'area' THEN
            PERFORM FROM areas AS e WHERE e.id = new.entity_id AND e.user_id = new.user_id FOR KEY SHARE;
        WHEN 'project' THEN
            PERFORM FROM projects AS e WHERE e.id = new.entity_id AND e.user_id = new.user_id FOR KEY SHARE;
        WHEN 'task' THEN
            PERFORM FROM tasks AS e WHERE e.id = new.entity_id AND e.user_id = new.user_id FOR KEY SHARE;
        ELSE
            -- The CHECK of entity_type says what is wrong; something global is about nothing in particular.
            RETURN new;
    END CASE;
    IF NOT found THEN
        PERFORM refuse_parent(tg_argv[1], tg_argv[0], new.entity_type || 's', tg_table_schema);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_entity() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_entity() IS
'Trigger: entity_id is a row of the same user in the table that entity_type names.';

CREATE FUNCTION remove_of_entity()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
BEGIN
    SELECT array_agg(o.id) INTO v_ids FROM old_rows AS o;
    DELETE FROM insights AS i WHERE i.entity_type = tg_argv[0] AND i.entity_id = ANY(v_ids);
    DELETE FROM time_entries AS t WHERE t.entity_type = tg_argv[0] AND t.entity_id = ANY(v_ids);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION remove_of_entity() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION remove_of_entity() IS 'Trigger: insights and time entries go with what they are about.';

-- What an insight is about, and whose it is, never changes.
CREATE TRIGGER insights_entity
BEFORE INSERT ON insights
FOR EACH ROW
EXECUTE FUNCTION check_entity('insights', 'insights_entity_id_fkey');

CREATE TRIGGER time_entries_entity
BEFORE INSERT OR UPDATE OF entity_type, entity_id ON time_entries
FOR EACH ROW
EXECUTE FUNCTION check_entity('time_entries', 'time_entries_entity_id_fkey');
