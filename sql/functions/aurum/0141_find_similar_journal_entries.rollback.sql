DROP FUNCTION find_similar_journal_entries(vector, integer, uuid);
