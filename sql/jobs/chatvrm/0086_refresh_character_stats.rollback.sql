DELETE FROM jobs
WHERE name = 'refresh-character-stats';
