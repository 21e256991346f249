DROP FUNCTION count_for_user_stats();
