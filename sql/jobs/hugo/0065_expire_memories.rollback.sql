DELETE FROM jobs
WHERE name = 'expire-memories';
