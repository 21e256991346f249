DROP FUNCTION refresh_user_stats(uuid);
