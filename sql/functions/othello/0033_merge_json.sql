-- depends: 0032_psychological_profiles_triggers
-- JSON Merge Patch (RFC 7396): objects are merged key by key at every level, null removes a key, all else replaces.
CREATE FUNCTION merge_json(p_target jsonb, p_patch jsonb)
RETURNS jsonb
LANGUAGE plpgsql
IMMUTABLE PARALLEL SAFE
SET search_path FROM CURRENT
AS $$
DECLARE
    v_merged jsonb := CASE WHEN jsonb_typeof(p_target) = 'object' THEN p_target ELSE '{}' END;
    v_key text;
    v_value jsonb;
BEGIN
    IF jsonb_typeof(p_patch) <> 'object' THEN
        RETURN p_patch;
    END IF;
    FOR v_key, v_value IN SELECT e.key, e.value FROM jsonb_each(p_patch) AS e LOOP
        IF v_value = 'null' THEN
            v_merged := v_merged - v_key;
        ELSE
            v_merged := v_merged || jsonb_build_object(v_key, merge_json(v_merged -> v_key, v_value));
        END IF;
    END LOOP;
    RETURN v_merged;
END;
$$;
REVOKE ALL ON FUNCTION merge_json(jsonb, jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION merge_json(jsonb, jsonb) IS 'A JSON value with a JSON Merge Patch (RFC 7396) applied.';
