DROP FUNCTION refresh_all_statistics(date);
