-- depends: 0019_exact_search_limit
-- For logs of changes. PostgREST passes the headers of a request on as a setting.
CREATE FUNCTION request_origin(OUT ip_address inet, OUT user_agent text)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $$
DECLARE
    v_headers jsonb;
BEGIN
    -- What cannot be read is no reason to refuse a change.
    v_headers := nullif(current_setting('request.headers', TRUE), '')::jsonb;
    user_agent := left(v_headers ->> 'user-agent', 1000);
    ip_address := nullif(btrim(split_part(v_headers ->> 'x-forwarded-for', ',', 1)), '')::inet;
EXCEPTION
    WHEN data_exception THEN
        NULL;
END;
$$;
REVOKE ALL ON FUNCTION request_origin() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION request_origin() IS 'Address and program of the caller, where the gateway passes them on.';
