DROP FUNCTION find_similar_tasks(vector, integer, uuid, boolean);
