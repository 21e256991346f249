DROP FUNCTION slow_query_report(integer);
