DROP FUNCTION set_embedding(text, uuid, text, vector[], text);
