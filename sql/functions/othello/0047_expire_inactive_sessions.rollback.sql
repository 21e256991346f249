DROP FUNCTION expire_inactive_sessions(interval, interval);
