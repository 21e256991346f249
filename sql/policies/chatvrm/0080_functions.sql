-- depends: 0079_jobs
-- What visitors may call, then users, then what is service_role's alone. Trigger functions need no grant.
GRANT EXECUTE ON FUNCTION
search_characters(text, integer)
TO anon, authenticated, service_role;

GRANT EXECUTE ON FUNCTION
current_user_id(),
create_api_key(text, text[], timestamptz),
revoke_api_key(uuid),
begin_conversation_earlier(uuid, timestamptz),
get_conversation_messages(uuid, integer, timestamptz),
check_query_embedding(vector),
search_character_knowledge(uuid, vector, integer),
search_documents(text, integer)
TO authenticated, service_role;

GRANT EXECUTE ON FUNCTION
authenticate_api_key(text),
create_message_partition(date),
create_message_partitions(integer),
refresh_character_counters(),
refresh_message_counts(),
refresh_character_stats(),
archive_old_conversations(interval),
claim_audio_for_cold_storage(integer),
mark_audio_cold(uuid, text),
character_analytics_of(date, date),
store_character_analytics(date, date),
roll_up_character_analytics(date),
backfill_character_analytics()
TO service_role;
