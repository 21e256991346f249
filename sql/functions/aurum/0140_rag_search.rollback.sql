DROP FUNCTION rag_search(vector, uuid, integer, integer);
