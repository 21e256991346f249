DROP TABLE user_statistics_cache;
