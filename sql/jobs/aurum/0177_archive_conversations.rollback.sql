DELETE FROM jobs
WHERE name = 'archive-conversations';
