REVOKE EXECUTE ON FUNCTION
is_password_hash(text),
make_session_token(),
session_token_hash(text),
open_session(bigint, inet, text),
touch_session(text),
rotate_session(text),
close_session(text),
expire_inactive_sessions(interval, interval),
claim_due_interventions(integer),
archive_inactive_conversations(interval)
FROM service_role;
REVOKE EXECUTE ON FUNCTION
current_user_id(),
effective_tier(bigint, text),
is_preference_value(text, text),
merge_json(jsonb, jsonb),
merge_traits(jsonb),
override_validation(bigint, text),
pending_suggestions(integer),
respond_to_activity(bigint, consent_action, text),
soft_delete_conversation(bigint),
soft_delete_user(bigint)
FROM authenticated, service_role;
