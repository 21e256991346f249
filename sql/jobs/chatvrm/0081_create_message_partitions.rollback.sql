DELETE FROM jobs
WHERE name = 'create-message-partitions';
