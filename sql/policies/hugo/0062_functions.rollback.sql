REVOKE EXECUTE ON FUNCTION
knowledge_search_vector(text, text, text[]),
knowledge_content_hash(text, text),
increment_ke_access(uuid),
increment_knowledge_access(uuid[]),
promote_personality_schema(uuid),
sync_knowledge_to_vector(integer),
set_knowledge_vector(uuid, text, text),
close_inactive_conversations(),
archive_old_conversations(),
decay_memory_importance(),
expire_user_memories()
FROM service_role;
REVOKE EXECUTE ON FUNCTION
current_user_id(),
knowledge_base_is_active(uuid),
close_conversation(uuid),
get_chat_context(text, uuid),
get_user_context(uuid, text),
search_knowledge(text, text, integer),
prepare_statements()
FROM authenticated, service_role;
