-- depends: 0021_platform_grants
-- Settings of an extension for a part of a function. A SET clause would do the same, but a function with one can be
-- created only in a session that has loaded the library, or by a superuser: an owner's restored dump would lack it.
CREATE FUNCTION exchange_settings(p_names text[], p_values text[])
RETURNS text[]
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
DECLARE
    v_before text[] := '{}'::text[];
BEGIN
    FOR v_place IN 1..coalesce(cardinality(p_names), 0) LOOP
        v_before := v_before || current_setting(p_names[v_place], TRUE);
        PERFORM set_config(p_names[v_place], p_values[v_place], TRUE);
    END LOOP;
    RETURN v_before;
END;
$$;
REVOKE ALL ON FUNCTION exchange_settings(text[], text[]) FROM PUBLIC, anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION exchange_settings(text[], text[]) TO authenticated, service_role;
COMMENT ON FUNCTION exchange_settings(text[], text[]) IS
'Gives settings these values until the end of the transaction, and returns those from before: giving them back ends '
'that. Null is the default.';
