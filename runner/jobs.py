"""Scheduled jobs: which are declared, when each runs and ran, crontab lines, and running one where no pg_cron does.

A job is a row of its instance's table `jobs`. Runs from here are rows of `job_runs`; those by pg_cron are in its own
table (see `runner.cron`).
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psycopg
from cronsim import CronSim
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner import ledger
from runner.cron import Run, find, is_elsewhere
from runner.database import Database, Session, connect, fetch_one, identifier, session
from runner.errors import CompanionError, DatabaseError, JobError, JobRunningError, LedgerError, UsageError
from runner.history import distrust
from runner.instances import Instance, installed
from runner.tree import PLATFORM

# Who runs a job where there is no pg_cron.
CRONTAB = "crontab"

_TABLES_SQL = f"""
SELECT coalesce(bool_or(c.relname = 'jobs'), false), coalesce(bool_or(c.relname = 'job_runs'), false)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND {ledger.HARMLESS}
"""
_JOBS_SQL = "SELECT name, schedule, command, description FROM {jobs} ORDER BY name"

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
class Job:
    """A job as its instance declares it; `schedule` is five cron fields."""

    instance: Instance
    job: str
    schedule: str
    command: str
    description: str
    has_runs: bool
    """Whether the instance has come as far as the table `job_runs`."""

    @property
    def name(self) -> str:
        """The name in the whole database."""
        return f"{self.instance.schema}:{self.job}"

    @property
    def runs(self) -> str:
        """The quoted name of the table of its runs."""
        return identifier(self.instance.schema, "job_runs")


@dataclass(frozen=True)
class JobStatus:
    """When a job runs next and ran last; times are UTC.

    `by` says who runs it: `pg_cron`, `pg_cron in <database>` or `crontab`. `state` is `scheduled`, or of pg_cron alone
    `not scheduled`, `differs` (schedule or command are others there) or `inactive`; then there is no next run, or not
    the declared one.
    """

    job: Job
    by: str
    state: str
    next_run: datetime | None
    last: Run | None

    @property
    def in_step(self) -> bool:
        """Whether it runs as declared, or was deactivated on purpose."""
        return self.state in ("scheduled", "inactive")

    def as_dict(self) -> dict[str, Any]:
        """Return the status as `companion jobs list --json` prints it."""
        return {
            "name": self.job.name,
            "system": self.job.instance.system,
            "schedule": self.job.schedule,
            "command": self.job.command,
            "description": self.job.description,
            "by": self.by,
            "state": self.state,
            "next_run": self.next_run.isoformat() if self.next_run else None,
            "last_run": self.last.started_at.isoformat() if self.last else None,
            "outcome": self.last.outcome if self.last else None,
            "message": self.last.message if self.last else None,
        }


def list_jobs(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    cron_database: str | None = None,
    now: datetime | None = None,
) -> list[JobStatus]:
    """Return every job of the installed instances; `systems` and `schema` narrow the list.

    `cron_database` says where pg_cron is, unless the server can. Next runs are those after `now`.
    """
    now = now or datetime.now(timezone.utc)
    with session(database) as s, find(s, cron_database) as cron:
        jobs = _declared(s, _instances(s, systems, schema))
        scheduled = cron.scheduled() if cron else {}
        found = []
        for job in jobs:
            last = _last_run(s, job)
            if cron is None:
                found.append(JobStatus(job, CRONTAB, "scheduled", _next_run(job.schedule, now), last))
                continue
            there = scheduled.get(cron.prefix(job.instance.schema) + job.job)
            if there is None:
                found.append(JobStatus(job, str(cron), "not scheduled", None, last))
                continue
            same = (there.schedule, there.command) == (job.schedule, job.command)
            state = "inactive" if not there.active else "scheduled" if same else "differs"
            next_run = _next_run(job.schedule, now.astimezone(cron.timezone)) if state == "scheduled" else None
            runs = [run for run in (last, there.last) if run]
            last = max(runs, key=lambda run: run.started_at, default=None)
            found.append(JobStatus(job, str(cron), state, next_run, last))
        return found


def sync(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    cron_database: str | None = None,
    dry_run: bool = False,
) -> dict[str, str]:
    """Bring pg_cron in step with the tables of jobs; return what was done to which name (see `Cron.bring_in_step`).

    Raises DatabaseError where there is no pg_cron or we may not schedule, LedgerError for jobs that are not ours.
    """
    with session(database) as s, find(s, cron_database) as cron:
        if cron is None:
            raise DatabaseError(
                "there is no pg_cron in this database, nor in the one where the server says it is",
                hint="name its database with --cron-database, or run the jobs by crontab: `companion jobs crontab`",
            )
        instances = _instances(s, systems, schema)
        jobs = _declared(s, instances)
        for instance in {job.instance for job in jobs}:
            _check_trust(s, instance)
        declared = {cron.prefix(job.instance.schema) + job.job: (job.schedule, job.command) for job in jobs}
        if systems or schema or not cron.elsewhere:
            prefixes = [cron.prefix(instance.schema) for instance in instances]
        else:
            prefixes = [cron.prefix()]
        return cron.bring_in_step(declared, prefixes, dry_run=dry_run)


def out_of_step(database: Database) -> bool:
    """Say whether pg_cron is in another database and does not have our jobs as declared; False if we cannot know."""
    with suppress(CompanionError), session(database) as s:
        return is_elsewhere(s) and bool(sync(database, dry_run=True))
    return False


def crontab(database: Database, systems: Sequence[str] = (), *, schema: str | None = None) -> list[str]:
    """Return the lines of a crontab that run every job.

    No line holds a password: libpq reads it from ~/.pgpass.
    """
    with session(database) as s:
        jobs = _declared(s, _instances(s, systems, schema))
        address = conninfo_to_dict(s.conninfo)
    password = address.pop("password", None)
    url = make_conninfo("", **address)
    lines = ["# Times are UTC. A cron that does not know CRON_TZ (Debian's) takes them in the machine's time zone."]
    if password:
        lines.append("# The password is not here: put it into ~/.pgpass of the user whose crontab this is.")
    lines.append("CRON_TZ=UTC")
    for job in jobs:
        words = shlex.join([*_program(), "jobs", "run", job.name, "--database", url])
        # To cron a percent sign ends the command.
        lines.append(f"{job.schedule} {words} >/dev/null".replace("%", "\\%"))
    return lines


def run(database: Database, name: str, *, schema: str | None = None) -> tuple[Job, Run, int]:
    """Run the job `name`, which is `<schema>:<job>` or, where only one has it, `<job>`.

    Returns the job, its run and its milliseconds. The command is sent as pg_cron sends it, in a transaction of its own.
    Raises JobRunningError when another run of it goes on, JobError when it failed, which is in `job_runs` then, and
    LedgerError when the job is not ours.
    """
    with session(database) as s:
        job = _choose(_declared(s, _instances(s, (), schema)), name)
        _check_trust(s, job.instance)
        if not job.has_runs:
            raise CompanionError(
                f"{job.instance} has no table job_runs yet", hint=f"run `companion apply {job.instance.system}` first"
            )
        with _alone(s, job):
            id, started_at = _begin(s, job)
            started = time.monotonic()
            try:
                message = _execute(s.conninfo, job.command)
            except psycopg.Error as error:
                said = f"{error.diag.message_primary or str(error).strip()} (SQLSTATE {error.sqlstate or 'none'})"
                _end(s, job, id, "failed", said)
                detail = [part for part in (error.diag.message_detail, error.diag.context) if part]
                raise JobError(f"{job.name} failed: {said}", detail=detail, hint=error.diag.message_hint) from error
            except BaseException:
                _end(s, job, id, "interrupted", None)
                raise
            milliseconds = round((time.monotonic() - started) * 1000)
            _end(s, job, id, "succeeded", message)
            return job, Run(started_at, "succeeded", message), milliseconds


def _program() -> list[str]:
    """Return the words that start this very program from any folder."""
    started = Path(sys.argv[0])
    return [str(started.absolute())] if started.name == "companion" else [sys.executable, "-m", "runner"]


def _instances(s: Session, systems: Sequence[str], schema: str | None) -> list[Instance]:
    """Return the installed instances, narrowed; raise UsageError when one that was named is none of them."""
    found = installed(ledger.read(s.fetch), systems, schema)
    return [Instance(one.system, one.schema) for one in found if one.system and one.system != PLATFORM]


def _declared(s: Session, instances: Sequence[Instance]) -> list[Job]:
    jobs = []
    for instance in instances:
        has_jobs, has_runs = fetch_one(s.conn, _TABLES_SQL, [instance.schema])
        # An instance may have been applied only as far as a file before its jobs.
        if has_jobs:
            table = identifier(instance.schema, "jobs")
            rows = s.conn.execute(_JOBS_SQL.format(jobs=table).encode()).fetchall()
            jobs += [Job(instance, *[*row, has_runs]) for row in rows]
    return jobs


def _check_trust(s: Session, instance: Instance) -> None:
    """Raise LedgerError unless only we can have written the jobs: their commands run with our rights."""
    if problems := distrust(s, instance.schema, ["jobs"], with_code=True):
        raise LedgerError(
            f"the jobs in schema {instance.schema} cannot be trusted; nothing was done",
            detail=problems,
            hint="connect as the role that applied the files, and take away what others were granted",
        )


def _choose(jobs: Sequence[Job], name: str) -> Job:
    found = [job for job in jobs if job.name == name] or [job for job in jobs if job.job == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name} is a job of several schemas: " + ", ".join(job.name for job in found))
    raise UsageError(f"there is no job {name!r}", hint="`companion jobs list` names them all")


def _last_run(s: Session, job: Job) -> Run | None:
    if not job.has_runs:
        return None
    sql = _LAST_SQL.format(runs=job.runs)
    row = s.conn.execute(sql.encode(), {"name": job.name, "job": job.job}).fetchone()
    return Run(row[0].astimezone(timezone.utc), row[2], row[1]) if row else None


def _next_run(schedule: str, now: datetime) -> datetime:
    """Return the next time a schedule names after `now`, in whose time zone it is read."""
    return next(CronSim(schedule, now)).astimezone(timezone.utc)


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
