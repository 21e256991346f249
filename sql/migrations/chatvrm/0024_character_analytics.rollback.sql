DROP TABLE character_analytics;
