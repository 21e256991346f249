DELETE FROM jobs
WHERE name = 'expire-inactive-sessions';
