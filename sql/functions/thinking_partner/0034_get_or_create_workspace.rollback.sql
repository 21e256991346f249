DROP FUNCTION get_or_create_workspace(text);
