DROP FUNCTION is_email(text);
