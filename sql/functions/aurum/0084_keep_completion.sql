-- depends: 0083_task_relations
-- completed, completed_at and status say the same, whichever of them is written. A client that sends the whole row with
-- one of them changed means that one.
CREATE FUNCTION keep_completion()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_done boolean;
BEGIN
    IF tg_op = 'INSERT' THEN
        v_done := coalesce(new.completed, FALSE) OR new.status = 'completed' OR new.completed_at IS NOT NULL;
    ELSIF new.status IS DISTINCT FROM old.status THEN
        v_done := new.status = 'completed';
    ELSIF new.completed IS DISTINCT FROM old.completed THEN
        v_done := coalesce(new.completed, FALSE);
    ELSE
        v_done := new.completed_at IS NOT NULL;
    END IF;

    new.completed := coalesce(v_done, FALSE);
    IF new.completed THEN
        new.status := 'completed';
        new.completed_at := coalesce(new.completed_at, now());
    ELSE
        new.completed_at := NULL;
        IF new.status = 'completed' THEN
            new.status := 'todo';
        END IF;
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION keep_completion() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION keep_completion() IS
'Trigger: completed, completed_at and status of a task agree, whichever is written.';

CREATE TRIGGER tasks_completion_insert
BEFORE INSERT ON tasks
FOR EACH ROW
EXECUTE FUNCTION keep_completion();

CREATE TRIGGER tasks_completion
BEFORE UPDATE ON tasks
FOR EACH ROW
WHEN (
    (new.completed, new.completed_at, new.status) IS DISTINCT FROM (old.completed, old.completed_at, old.status)
)
EXECUTE FUNCTION keep_completion();
