"""Running a job where no pg_cron does, and what is known of its runs.

Runs from here are rows of the instance's table `job_runs`; those by pg_cron are in its own table.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone

import psycopg

from runner.errors import CompanionError, JobError, JobRunningError, stopped
from runner.history.instances import Target
from runner.jobs.declared import Job, check_trust, choose, declared, instances
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import patient
from runner.postgres.session import Session, connect, fetch_one, session
from runner.progress import Progress

# A run that is not finished, and whose lock nobody holds, has lost its runner.
_KEY = "hashtextextended('companion job ' || %(name)s, 0)"
_LAST_SQL = f"""
SELECT started_at, message, coalesce(outcome, CASE WHEN EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND (l.classid::bigint << 32) | l.objid::bigint = {_KEY}
        AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
) THEN 'running' ELSE 'interrupted' END)
FROM {{runs}} WHERE job = %(job)s ORDER BY started_at DESC LIMIT 1
"""
_BEGIN_SQLS = (
    "UPDATE {runs} SET finished_at = clock_timestamp(), outcome = 'interrupted'"
    " WHERE job = %(job)s AND finished_at IS NULL",
    "DELETE FROM {runs} WHERE job = %(job)s AND started_at < now() - interval '90 days'",
    "INSERT INTO {runs} (job) VALUES (%(job)s) RETURNING id, started_at",
)
_END_SQL = "UPDATE {runs} SET finished_at = clock_timestamp(), outcome = %s, message = %s WHERE id = %s"


@dataclass(frozen=True)
class Run:
    """One run of a job: `outcome` is `succeeded`, `failed`, `interrupted` or `running`."""

    started_at: datetime
    outcome: str
    message: str | None


def run(target: Target, name: str, *, pace: Pace = DEFAULT, progress: Progress | None = None) -> tuple[Job, Run, int]:
    """Run the job `name`, which is `<schema>:<job>` or, where only one has it, `<job>`.

    Returns the job, its run and its milliseconds. The command is sent as pg_cron sends it, in a transaction of its own.
    Raises JobRunningError when another run of it goes on, JobError when it failed, which is in `job_runs` then, and
    LedgerError when the job is not ours.
    """
    with session(target.database) as s:
        if progress:
            progress.about(s.about)
        s.settle()
        with patient(s, pace, progress or Progress()):
            job = choose(declared(s, instances(s, target)), name)
            check_trust(s, job.instance)
            if not job.has_runs:
                raise CompanionError(
                    f"{job.instance} has no table job_runs yet",
                    hint=f"run `companion apply {job.instance.system}` first",
                )
        with _alone(s, job):
            with patient(s, pace, progress or Progress()):
                id, started_at = _begin(s, job)
            started = time.monotonic()
            try:
                message = _execute(s.conninfo, job.command)
            except psycopg.Error as error:
                said = f"{error.diag.message_primary or str(error).strip()} (SQLSTATE {error.sqlstate or 'none'})"
                _end(s, job, id, "failed", said)
                detail = [part for part in (error.diag.message_detail, error.diag.context) if part]
                raise JobError(f"{job.name} failed: {said}", detail=detail, hint=error.diag.message_hint) from error
            except KeyboardInterrupt as stop:
                _end(s, job, id, "interrupted", None)
                raise stopped(f"{job.name} was cut off, its changes undone, its run recorded", stop) from None
            except BaseException:
                _end(s, job, id, "interrupted", None)
                raise
            milliseconds = round((time.monotonic() - started) * 1000)
            _end(s, job, id, "succeeded", message)
            return job, Run(started_at, "succeeded", message), milliseconds


def last_run(s: Session, job: Job) -> Run | None:
    """Return the last run of a job that did not go through pg_cron, or None."""
    if not job.has_runs:
        return None
    sql = _LAST_SQL.format(runs=job.runs)
    row = s.conn.execute(sql.encode(), {"name": job.name, "job": job.job}).fetchone()
    return Run(row[0].astimezone(timezone.utc), row[2], row[1]) if row else None


@contextmanager
def _alone(s: Session, job: Job) -> Iterator[None]:
    """Hold the job's lock, which vanishes with the session; raise JobRunningError if another run has it."""
    if not fetch_one(s.conn, f"SELECT pg_try_advisory_lock({_KEY})", {"name": job.name})[0]:
        raise JobRunningError(f"{job.name} is running already; nothing was done")
    try:
        yield
    finally:
        with suppress(psycopg.OperationalError):
            s.conn.execute(f"SELECT pg_advisory_unlock({_KEY})".encode(), {"name": job.name})


def _begin(s: Session, job: Job) -> tuple[int, datetime]:
    """Record that a run begins; what an earlier one left unfinished was interrupted."""
    with s.conn.transaction():
        for sql in _BEGIN_SQLS[:-1]:
            s.conn.execute(sql.format(runs=job.runs).encode(), {"job": job.job})
        id, started_at = fetch_one(s.conn, _BEGIN_SQLS[-1].format(runs=job.runs), {"job": job.job})
    return id, started_at


def _end(s: Session, job: Job, id: int, outcome: str, message: str | None) -> None:
    s.conn.execute(_END_SQL.format(runs=job.runs).encode(), [outcome, message, id])


def _execute(conninfo: str, command: str) -> str | None:
    """Run a job's command in a session of its own; return its one value, or what the server calls its result."""
    with connect(conninfo) as conn:
        cursor = conn.execute(command.encode())
        while cursor.nextset():
            pass
        row = cursor.fetchone() if cursor.description else None
        value = row[0] if row and len(row) == 1 and cursor.rowcount == 1 else None
        return cursor.statusmessage if value in (None, "") else str(value)
