DROP FUNCTION search_memories(vector, uuid, uuid, integer, double precision);
