DROP FUNCTION is_password_hash(text);
