DROP FUNCTION check_query_embedding(vector);
