-- depends: 0149_prepare_statements
-- What runs at which time (UTC). Where pg_cron is installed the trigger keeps it in step with this table.
CREATE TABLE jobs (
    name text,
    schedule text NOT NULL,
    command text NOT NULL,
    description text NOT NULL,
    CONSTRAINT jobs_pkey PRIMARY KEY (name),
    CONSTRAINT jobs_schedule_check CHECK (platform.is_cron_schedule(schedule))
);
ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON jobs FROM PUBLIC, anon, authenticated, service_role;

CREATE TRIGGER jobs_schedule
AFTER INSERT OR UPDATE OR DELETE ON jobs
FOR EACH ROW
EXECUTE FUNCTION platform.schedule_job();

COMMENT ON TABLE jobs IS 'The scheduled jobs of this system: cron schedule in UTC and the SQL to run.';
