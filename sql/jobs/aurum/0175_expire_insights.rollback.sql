DELETE FROM jobs
WHERE name = 'expire-insights';
