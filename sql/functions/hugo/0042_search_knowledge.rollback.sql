DROP FUNCTION search_knowledge(text, text, integer);
