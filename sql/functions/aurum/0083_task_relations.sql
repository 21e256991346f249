-- depends: 0082_tasks_dependency_task_ids_idx
-- Parents and dependencies of a task. Ancestors are locked while they are climbed, so that no other session gives one
-- of them another parent: it waits, and then sees what this one has done.
CREATE FUNCTION check_parent_task()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_id uuid := new.parent_task_id;
    v_parent uuid;
    v_climbed uuid[] := ARRAY[new.id];
BEGIN
    WHILE v_id IS NOT NULL LOOP
        -- Old data may have a circle further up, too.
        IF v_id = ANY(v_climbed) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                MESSAGE = format('task %s would be its own ancestor', new.id),
                HINT = 'Choose a parent that is not below the task.',
                CONSTRAINT = 'tasks_parent_task_cycle_check',
                TABLE = 'tasks',
                SCHEMA = tg_table_schema;
        END IF;
        SELECT t.parent_task_id INTO v_parent
        FROM tasks AS t
        WHERE t.id = v_id AND t.user_id = new.user_id
        FOR KEY SHARE;
        IF NOT found THEN
            PERFORM refuse_parent('tasks_parent_task_id_fkey', 'tasks', 'tasks', tg_table_schema);
        END IF;
        v_climbed := v_climbed || v_id;
        v_id := v_parent;
    END LOOP;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_parent_task() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_parent_task() IS
'Trigger: a parent task is of the same user, and no task is its own ancestor.';

CREATE FUNCTION check_task_dependencies()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_found bigint;
BEGIN
    IF new.id = ANY(new.dependency_task_ids) OR array_position(new.dependency_task_ids, NULL) IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            MESSAGE = 'a task depends on other tasks, not on itself or on nothing',
            HINT = 'Leave the task''s own id and nulls out of dependency_task_ids.',
            CONSTRAINT = 'tasks_dependency_task_ids_check',
            TABLE = 'tasks',
            SCHEMA = tg_table_schema;
    END IF;
    SELECT count(*) INTO v_found
    FROM (
        SELECT FROM tasks AS t WHERE t.id = ANY(new.dependency_task_ids) AND t.user_id = new.user_id FOR KEY SHARE
    ) AS found;
    IF v_found <> (SELECT count(DISTINCT d.id) FROM unnest(new.dependency_task_ids) AS d (id)) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = 'a task depends on a task that does not exist',
            DETAIL = 'Key is not present in table "tasks".',
            HINT = 'Name tasks of the same user in dependency_task_ids.',
            CONSTRAINT = 'tasks_dependency_task_ids_fkey',
            TABLE = 'tasks',
            SCHEMA = tg_table_schema;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION check_task_dependencies() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION check_task_dependencies() IS 'Trigger: dependencies of a task are other tasks of the same user.';

CREATE FUNCTION forget_dependencies()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_ids uuid[];
BEGIN
    SELECT array_agg(o.id) INTO v_ids FROM old_rows AS o;
    UPDATE tasks AS t
    SET dependency_task_ids = ARRAY(SELECT d.id FROM unnest(t.dependency_task_ids) AS d (id) WHERE d.id <> ALL(v_ids))
    WHERE t.dependency_task_ids && v_ids AND t.dependency_task_ids <> '{}';
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION forget_dependencies() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION forget_dependencies() IS 'Trigger: nobody waits for a task that is gone.';

CREATE TRIGGER tasks_parent_insert
BEFORE INSERT ON tasks
FOR EACH ROW
WHEN (new.parent_task_id IS NOT NULL)
EXECUTE FUNCTION check_parent_task();

CREATE TRIGGER tasks_parent
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (new.parent_task_id IS NOT NULL AND new.parent_task_id IS DISTINCT FROM old.parent_task_id)
EXECUTE FUNCTION check_parent_task();

CREATE TRIGGER tasks_dependencies_insert
BEFORE INSERT ON tasks
FOR EACH ROW
WHEN (cardinality(new.dependency_task_ids) > 0)
EXECUTE FUNCTION check_task_dependencies();

CREATE TRIGGER tasks_dependencies
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (
    cardinality(new.dependency_task_ids) > 0 AND new.dependency_task_ids IS DISTINCT FROM old.dependency_task_ids
)
EXECUTE FUNCTION check_task_dependencies();

CREATE TRIGGER tasks_dependencies_delete
AFTER DELETE ON tasks
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION forget_dependencies();
