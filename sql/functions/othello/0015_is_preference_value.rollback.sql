DROP FUNCTION is_preference_value(text, text);
