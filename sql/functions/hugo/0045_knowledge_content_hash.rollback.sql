DROP FUNCTION knowledge_content_hash(text, text);
