-- depends: 0058_jobs
-- What users may call, then what is service_role's alone. Trigger functions need no grant.
GRANT EXECUTE ON FUNCTION
current_user_id(),
forget_memory(uuid),
check_query_embedding(vector),
search_memories(vector, uuid, uuid, integer, double precision),
match_chunks(vector, uuid, integer, double precision),
search_chunks(vector, uuid, integer),
get_or_create_chat_session(uuid, uuid, text, text),
append_session_message(uuid, text, text, jsonb),
get_session_messages(uuid),
get_document_with_stats(uuid),
get_or_create_workspace(text),
prepare_statements()
TO authenticated, service_role;

GRANT EXECUTE ON FUNCTION
claim_pending_documents(integer),
claim_tickets(integer),
claim_due_messages(integer),
record_subscription_event(uuid, text, text, text, timestamptz, jsonb),
expire_subscriptions()
TO service_role;
