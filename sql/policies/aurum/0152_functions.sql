-- depends: 0151_schema_usage
-- Before the policies, which call one of them. What users may call, then what is service_role's alone. Trigger
-- functions need no grant.
GRANT EXECUTE ON FUNCTION
current_user_id(),
acting_user(uuid),
record_insight_feedback(uuid, text, jsonb),
refresh_user_statistics(uuid, date, text),
embedding_source(text),
check_query_embedding(vector),
nearest_rows(text, vector, uuid, integer, timestamptz, boolean),
rag_search(vector, uuid, integer, integer),
find_similar_journal_entries(vector, integer, uuid),
find_similar_tasks(vector, integer, uuid, boolean),
search_conversation_memory(vector, uuid, integer, timestamptz),
prepare_statements()
TO authenticated, service_role;

GRANT EXECUTE ON FUNCTION
embedding_text_hash(text[]),
stale_embeddings(text, integer),
set_embedding(text, uuid, text, vector[], text),
expire_insights(),
refresh_hierarchy_view(),
refresh_all_statistics(date),
refresh_user_stats(uuid),
archive_old_conversations(interval),
data_quality_report(),
slow_query_report(integer)
TO service_role;
