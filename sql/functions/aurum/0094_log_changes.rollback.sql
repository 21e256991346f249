DROP FUNCTION log_change();
DROP FUNCTION request_origin();
