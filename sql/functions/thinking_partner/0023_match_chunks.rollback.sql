DROP FUNCTION match_chunks(vector, uuid, integer, double precision);
