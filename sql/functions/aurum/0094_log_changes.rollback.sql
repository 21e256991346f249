DROP FUNCTION log_change();
