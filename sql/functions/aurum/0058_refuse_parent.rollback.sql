DROP FUNCTION refuse_parent(text, text, text, text);
