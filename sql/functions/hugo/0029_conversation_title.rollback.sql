DROP FUNCTION conversation_title(text);
