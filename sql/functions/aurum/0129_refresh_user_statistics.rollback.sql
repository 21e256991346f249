DROP FUNCTION refresh_user_statistics(uuid, date, text);
