-- depends: 0024_session_logs_public
-- Ids are counted, and users know those of others. An id that a user sends along is kept where it is a row of their
-- own (an upsert); else the row gets a fresh one, whether there is such a row or not. Without this a duplicate key
-- would tell which ids exist. A definer function: users hold no rights on the sequence.
CREATE FUNCTION assign_id()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    v_own boolean;
BEGIN
    EXECUTE format('SELECT TRUE FROM %I WHERE id = $1 AND user_id = $2', tg_argv[0])
    INTO v_own
    USING new.id, current_user_id();
    IF v_own IS NULL THEN
        new.id := nextval(format('%I', tg_argv[0] || '_id_seq')::regclass);
    END IF;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION assign_id() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION assign_id() IS
'Trigger: a user''s new row has an id of the database''s choosing. Argument: the table.';
