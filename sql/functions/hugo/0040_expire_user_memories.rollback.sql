DROP FUNCTION expire_user_memories();
