-- depends: 0019_memories_triggers
-- Runs with the caller's rights: of another's memory it says what it says of none.
CREATE FUNCTION forget_memory(p_id uuid)
RETURNS memories
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_memory memories;
BEGIN
    UPDATE memories AS m SET is_active = FALSE WHERE m.id = p_id RETURNING m.* INTO v_memory;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no memory %s', p_id),
            HINT = 'Give the id of a memory of your own.',
            CONSTRAINT = 'memories_pkey',
            TABLE = 'memories',
            SCHEMA = current_schema();
    END IF;
    RETURN v_memory;
END;
$$;
REVOKE ALL ON FUNCTION forget_memory(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION forget_memory(uuid) IS
'Sets is_active of a memory of the caller to false, so that no search finds it, and returns it.';
