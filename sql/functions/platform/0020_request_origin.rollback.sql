DROP FUNCTION request_origin();
