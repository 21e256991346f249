DROP TABLE daily_reflections;
