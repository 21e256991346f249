DROP TRIGGER user_memories_expiry ON user_memories;
DROP TRIGGER user_memories_a_maintain ON user_memories;
DROP TRIGGER user_memories_immutable ON user_memories;
DROP FUNCTION fill_memory_expiry();
