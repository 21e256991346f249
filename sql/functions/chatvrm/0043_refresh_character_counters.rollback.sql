DROP FUNCTION refresh_character_counters();
