DELETE FROM jobs
WHERE name = 'expire-subscriptions';
