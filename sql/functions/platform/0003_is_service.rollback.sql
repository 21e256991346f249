DROP FUNCTION is_service();
