DROP FUNCTION search_character_knowledge(uuid, vector, integer);
