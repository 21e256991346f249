DROP FUNCTION override_validation(bigint, text);
