DROP FUNCTION is_not_blank(text);
