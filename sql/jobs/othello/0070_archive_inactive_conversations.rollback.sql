DELETE FROM jobs
WHERE name = 'archive-inactive-conversations';
