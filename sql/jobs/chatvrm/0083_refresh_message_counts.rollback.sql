DELETE FROM jobs
WHERE name = 'refresh-message-counts';
