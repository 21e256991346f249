-- depends: 0059_refuse_parent_grant
-- Where a row is in the hierarchy, and that it is its owner's: a row takes what its parent says, under the lock of a
-- foreign key, for which a move of the parent waits since its columns are part of a key; the move, by statement, then
-- goes down to everything below. The parent is looked up with the caller's rights and among rows of the same user:
-- another's is like a missing one. Under REPEATABLE READ a move does not see what was added since its snapshot.
CREATE FUNCTION place_area()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    PERFORM FROM pillars AS p WHERE p.id = new.pillar_id AND p.user_id = new.user_id FOR KEY SHARE;
    IF NOT found THEN
        PERFORM refuse_parent('areas_pillar_id_fkey', 'areas', 'pillars', tg_table_schema);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION place_area() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION place_area() IS 'Trigger: an area''s pillar is of the same user.';

CREATE FUNCTION place_project()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    SELECT a.pillar_id INTO new.pillar_id
    FROM areas AS a
    WHERE a.id = new.area_id AND a.user_id = new.user_id
    FOR KEY SHARE;
    IF NOT found THEN
        -- Of a parent that is just being deleted the row is the next to go.
        IF tg_op = 'UPDATE' THEN
            IF new.area_id = old.area_id THEN
                RETURN new;
            END IF;
        END IF;
        PERFORM refuse_parent('projects_area_id_fkey', 'projects', 'areas', tg_table_schema);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION place_project() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION place_project() IS 'Trigger: a project''s area is of the same user, its pillar that of the area.';

CREATE FUNCTION place_task()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    SELECT p.area_id, p.pillar_id INTO new.area_id, new.pillar_id
    FROM projects AS p
    WHERE p.id = new.project_id AND p.user_id = new.user_id
    FOR KEY SHARE;
    IF NOT found THEN
        -- Of a parent that is just being deleted the row is the next to go.
        IF tg_op = 'UPDATE' THEN
            IF new.project_id = old.project_id THEN
                RETURN new;
            END IF;
        END IF;
        PERFORM refuse_parent('tasks_project_id_fkey', 'tasks', 'projects', tg_table_schema);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION place_task() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION place_task() IS
'Trigger: a task''s project is of the same user, its area and pillar those of the project.';

-- Rows that move with their parent are kept true here, and by nobody else.
CREATE FUNCTION move_projects()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_areas uuid[];
    v_pillars uuid[];
BEGIN
    SELECT array_agg(n.id), array_agg(n.pillar_id) INTO v_areas, v_pillars FROM new_rows AS n;
    UPDATE projects AS p
    SET pillar_id = a.pillar_id
    FROM unnest(v_areas, v_pillars) AS a (id, pillar_id)
    WHERE p.area_id = a.id AND p.pillar_id IS DISTINCT FROM a.pillar_id;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION move_projects() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION move_projects() IS 'Trigger: projects move with their area.';

CREATE FUNCTION move_tasks()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_projects uuid[];
    v_areas uuid[];
    v_pillars uuid[];
BEGIN
    SELECT array_agg(n.id), array_agg(n.area_id), array_agg(n.pillar_id)
    INTO v_projects, v_areas, v_pillars
    FROM new_rows AS n;
    UPDATE tasks AS t
    SET area_id = p.area_id, pillar_id = p.pillar_id
    FROM unnest(v_projects, v_areas, v_pillars) AS p (id, area_id, pillar_id)
    WHERE t.project_id = p.id AND (t.area_id, t.pillar_id) IS DISTINCT FROM (p.area_id, p.pillar_id);
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION move_tasks() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION move_tasks() IS 'Trigger: tasks move with their project.';
