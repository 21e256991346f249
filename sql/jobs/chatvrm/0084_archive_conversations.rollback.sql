DELETE FROM jobs
WHERE name = 'archive-old-conversations';
