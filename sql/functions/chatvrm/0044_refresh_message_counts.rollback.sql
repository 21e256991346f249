DROP FUNCTION refresh_message_counts();
