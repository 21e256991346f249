DELETE FROM jobs
WHERE name = 'refresh-hierarchy-view';
