DELETE FROM jobs
WHERE name = 'roll-up-character-analytics';
