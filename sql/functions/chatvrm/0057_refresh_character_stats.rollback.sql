DROP FUNCTION refresh_character_stats();
