REVOKE EXECUTE ON FUNCTION
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
FROM anon, authenticated, service_role;
REVOKE USAGE ON SCHEMA platform FROM anon, authenticated, service_role;
