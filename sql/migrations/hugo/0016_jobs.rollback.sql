-- Row by row, so that pg_cron forgets the jobs too.
DELETE FROM jobs;
DROP TABLE jobs;
