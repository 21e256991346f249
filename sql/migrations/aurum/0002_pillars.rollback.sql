DROP TABLE pillars;
