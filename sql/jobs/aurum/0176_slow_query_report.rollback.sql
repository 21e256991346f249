DELETE FROM jobs
WHERE name = 'slow-query-report';
