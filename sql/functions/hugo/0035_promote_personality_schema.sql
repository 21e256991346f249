-- depends: 0034_personality_schemas_triggers
-- All versions of the personality are locked first, in one order: two promotions take turns, and the second
-- archives what the first has put in place.
CREATE FUNCTION promote_personality_schema(p_id uuid)
RETURNS personality_schemas
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_schema_id text;
    v_replaced uuid;
    v_promoted personality_schemas;
BEGIN
    SELECT ps.schema_id INTO v_schema_id FROM personality_schemas AS ps WHERE ps.id = p_id;
    IF NOT found THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no personality schema %s', p_id),
            HINT = 'Give the id of a row of personality_schemas that is testing or active.';
    END IF;
    PERFORM 1 FROM personality_schemas AS ps WHERE ps.schema_id = v_schema_id ORDER BY ps.id FOR UPDATE;

    UPDATE personality_schemas AS ps
    SET status = 'archived'
    WHERE ps.schema_id = v_schema_id AND ps.status = 'active' AND ps.rollout_percentage = 100 AND ps.id <> p_id
    RETURNING ps.id INTO v_replaced;

    UPDATE personality_schemas AS ps
    SET status = 'active', rollout_percentage = 100
    WHERE ps.id = p_id
    RETURNING ps.* INTO v_promoted;

    UPDATE apps AS a SET personality_schema_id = p_id WHERE a.personality_schema_id = v_replaced;
    RETURN v_promoted;
END;
$$;
REVOKE ALL ON FUNCTION promote_personality_schema(uuid) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION promote_personality_schema(uuid) IS
'Takes a testing or active version to 100 %, archives the one that was there and gives its apps the new one. For '
'service_role.';
