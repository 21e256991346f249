DROP FUNCTION search_chunks(vector, uuid, integer);
