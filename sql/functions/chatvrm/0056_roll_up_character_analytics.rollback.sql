DROP FUNCTION backfill_character_analytics();
DROP FUNCTION roll_up_character_analytics(date);
DROP FUNCTION store_character_analytics(date, date);
DROP FUNCTION character_analytics_of(date, date);
