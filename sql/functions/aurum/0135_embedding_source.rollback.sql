DROP FUNCTION embedding_text_hash(text[]);
DROP FUNCTION embedding_source(text);
