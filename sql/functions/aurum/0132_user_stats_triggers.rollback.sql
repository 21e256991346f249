DROP TRIGGER user_stats_updated_at ON user_stats;
DROP TRIGGER user_stats_maintain ON user_stats;
DROP TRIGGER user_stats_immutable ON user_stats;
