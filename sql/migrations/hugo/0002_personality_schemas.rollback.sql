DROP TABLE personality_schemas;
