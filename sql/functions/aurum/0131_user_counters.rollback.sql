DROP FUNCTION user_counters(uuid[]);
