DROP FUNCTION prepare_statements();
