DROP FUNCTION pending_suggestions(integer);
