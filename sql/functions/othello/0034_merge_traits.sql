-- depends: 0033_merge_json
-- One statement, so that two patches at once are both in the result.
CREATE FUNCTION merge_traits(p_patch jsonb)
RETURNS psychological_profiles
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_profile psychological_profiles;
BEGIN
    IF jsonb_typeof(p_patch) IS DISTINCT FROM 'object' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'a patch of traits is a JSON object',
            HINT = 'For example {"openness": 0.7, "preferences": {"communication_style": "direct"}}.';
    ELSIF current_user_id() IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = 'merge_traits() is for users, who have a profile of their own',
            HINT = 'Call it with a user''s token; service_role writes psychological_profiles itself.';
    END IF;
    INSERT INTO psychological_profiles AS p (user_id, trait_data, last_analyzed_at)
    VALUES (current_user_id(), merge_json('{}', p_patch), now())
    ON CONFLICT (user_id) DO UPDATE
    SET trait_data = merge_json(p.trait_data, p_patch), last_analyzed_at = now()
    RETURNING p.* INTO v_profile;
    RETURN v_profile;
EXCEPTION
    WHEN statement_too_complex THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the patch of traits is nested too deeply';
END;
$$;
REVOKE ALL ON FUNCTION merge_traits(jsonb) FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION merge_traits(jsonb) IS
'Merges a patch (RFC 7396: objects by key, null removes) into the caller''s trait_data, stamps last_analyzed_at, '
'returns the profile.';
