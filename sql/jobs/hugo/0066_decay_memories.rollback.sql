DELETE FROM jobs
WHERE name = 'decay-memories';
