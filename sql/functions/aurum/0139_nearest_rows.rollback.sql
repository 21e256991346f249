DROP FUNCTION check_query_embedding(vector);
DROP FUNCTION nearest_rows(text, vector, uuid, integer, timestamptz, boolean);
