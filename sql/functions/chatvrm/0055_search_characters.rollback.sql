DROP FUNCTION search_documents(text, integer);
DROP FUNCTION search_characters(text, integer);
