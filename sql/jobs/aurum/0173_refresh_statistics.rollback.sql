DELETE FROM jobs
WHERE name = 'refresh-statistics';
