-- depends: 0177_archive_conversations
-- What `companion jobs run` did, where no pg_cron keeps a record of its own. A job that is gone keeps its record.
CREATE TABLE job_runs (
    id bigint GENERATED ALWAYS AS IDENTITY,
    job text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_at timestamptz,
    outcome text,
    message text,
    CONSTRAINT job_runs_pkey PRIMARY KEY (id),
    CONSTRAINT job_runs_outcome_check CHECK (outcome IN ('succeeded', 'failed', 'interrupted')),
    CONSTRAINT job_runs_finished_check CHECK ((finished_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX job_runs_job_started_at_idx ON job_runs (job, started_at DESC);
-- One run of a job at a time, whatever else goes wrong.
CREATE UNIQUE INDEX job_runs_running_key ON job_runs (job) WHERE finished_at IS NULL;
ALTER TABLE job_runs ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON job_runs FROM PUBLIC, anon, authenticated, service_role;

COMMENT ON TABLE job_runs IS
'Runs of jobs by `companion jobs run`, those of the last 90 days. Runs by pg_cron are in cron.job_run_details.';
COMMENT ON COLUMN job_runs.finished_at IS 'Null while the job runs.';
COMMENT ON COLUMN job_runs.outcome IS 'interrupted: whoever ran it was gone before the end; its changes were undone.';
COMMENT ON COLUMN job_runs.message IS 'What the command returned, or the error.';
