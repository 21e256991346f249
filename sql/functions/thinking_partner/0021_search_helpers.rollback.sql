DROP FUNCTION exact_search_limit(regclass);
DROP FUNCTION check_query_embedding(vector);
