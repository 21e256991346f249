DROP FUNCTION is_cron_schedule(text);
