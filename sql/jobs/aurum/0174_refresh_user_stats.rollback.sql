DELETE FROM jobs
WHERE name = 'refresh-user-stats';
