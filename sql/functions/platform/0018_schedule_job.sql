-- depends: 0017_guard_state
-- For each system's table of jobs: where pg_cron is installed in this database a job is scheduled as
-- "<schema>:<name>", elsewhere its row waits for whoever runs it. A job that keeps its name keeps its record of runs.
CREATE FUNCTION schedule_job()
RETURNS trigger
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $$
BEGIN
    IF to_regnamespace('cron') IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT has_schema_privilege('cron', 'USAGE') THEN
        RAISE WARNING USING
            MESSAGE = format(
                'pg_cron was not told of job %s:%s: %s may not use it',
                tg_table_schema, coalesce(new.name, old.name), current_user
            ),
            HINT = 'GRANT USAGE ON SCHEMA cron to that role, then run `companion jobs sync`.';
        RETURN NULL;
    END IF;
    IF to_regprocedure('cron.schedule(text, text, text)') IS NULL THEN
        RETURN NULL;
    END IF;
    IF tg_op = 'DELETE' OR old.name <> new.name THEN
        EXECUTE 'SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname = $1'
        USING concat(tg_table_schema, ':', old.name);
    END IF;
    IF tg_op <> 'DELETE' THEN
        EXECUTE 'SELECT cron.schedule($1, $2, $3)'
        USING concat(tg_table_schema, ':', new.name), new.schedule, new.command;
    END IF;
    RETURN NULL;
END;
$$;
REVOKE ALL ON FUNCTION schedule_job() FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON FUNCTION schedule_job() IS 'Trigger: keeps pg_cron, where there is one, in step with a table of jobs.';
