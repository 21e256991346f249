DROP FUNCTION is_set(text[]);
