DROP FUNCTION knowledge_search_vector(text, text, text[]);
