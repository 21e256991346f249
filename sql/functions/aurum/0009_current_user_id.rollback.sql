DROP FUNCTION current_user_id();
