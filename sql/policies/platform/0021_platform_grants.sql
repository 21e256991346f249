-- depends: 0020_request_origin
-- API roles need these for their own INSERTs: a CHECK, a default or a trigger's WHEN runs with the caller's rights.
-- Trigger functions need no grant.
GRANT USAGE ON SCHEMA platform TO anon, authenticated, service_role;
GRANT EXECUTE ON FUNCTION
is_service(),
is_maintainer(oid),
is_email(text),
is_identifier(text),
is_semver(text),
is_not_blank(text),
is_uuid_v4(uuid),
is_set(text[]),
is_jsonb_text_array(jsonb),
is_jsonb_unit_object(jsonb),
is_cron_schedule(text),
exact_search_limit(regclass)
TO anon, authenticated, service_role;
