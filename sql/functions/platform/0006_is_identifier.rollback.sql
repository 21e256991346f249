DROP FUNCTION is_identifier(text);
