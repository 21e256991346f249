DROP TABLE user_behavior_patterns;
