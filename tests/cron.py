"""A pg_cron where none is installed."""

from __future__ import annotations

from tests.people import Person


def with_pg_cron(db: Person) -> None:
    """See to it that there is a pg_cron in this transaction: a stand-in where it is not installed."""
    if db.value("SELECT to_regnamespace('cron')") is not None:
        return
    db.run("CREATE SCHEMA cron")
    db.run("CREATE TABLE cron.job (jobid bigserial, jobname text UNIQUE, schedule text, command text)")
    db.run(
        "CREATE FUNCTION cron.schedule(text, text, text) RETURNS bigint LANGUAGE sql BEGIN ATOMIC"
        " INSERT INTO cron.job (jobname, schedule, command) VALUES ($1, $2, $3)"
        " ON CONFLICT (jobname) DO UPDATE SET schedule = $2, command = $3 RETURNING jobid; END"
    )
    db.run(
        "CREATE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean LANGUAGE sql BEGIN ATOMIC"
        " DELETE FROM cron.job WHERE jobid = job_id RETURNING true; END"
    )
