DELETE FROM jobs
WHERE name = 'close-inactive-conversations';
