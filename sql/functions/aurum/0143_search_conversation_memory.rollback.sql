DROP FUNCTION search_conversation_memory(vector, uuid, integer, timestamptz);
