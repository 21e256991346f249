"""The jobs that instances declare: rows of their table `jobs`, each with a schedule and a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runner.errors import LedgerError, UsageError
from runner.files.tree import PLATFORM
from runner.history import ledger
from runner.history.instances import Instance, Target, installed
from runner.history.tables import distrust
from runner.postgres.session import Session, fetch_one, identifier

_TABLES_SQL = f"""
SELECT coalesce(bool_or(c.relname = 'jobs'), false), coalesce(bool_or(c.relname = 'job_runs'), false)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND {ledger.HARMLESS}
"""
_JOBS_SQL = "SELECT name, schedule, command, description FROM {jobs} ORDER BY name"


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


def instances(s: Session, target: Target) -> list[Instance]:
    """Return the installed instances that may have jobs; raise UsageError when one that was named is not installed."""
    found = installed(target, ledger.read(s.fetch))
    return [Instance(one.system, one.schema) for one in found if one.system and one.system != PLATFORM]


def declared(s: Session, instances: Sequence[Instance]) -> list[Job]:
    """Return every job of the instances, by name."""
    jobs = []
    for instance in instances:
        has_jobs, has_runs = fetch_one(s.conn, _TABLES_SQL, [instance.schema])
        # An instance may have been applied only as far as a file before its jobs.
        if has_jobs:
            table = identifier(instance.schema, "jobs")
            rows = s.conn.execute(_JOBS_SQL.format(jobs=table).encode()).fetchall()
            jobs += [Job(instance, *[*row, has_runs]) for row in rows]
    return jobs


def check_trust(s: Session, instance: Instance) -> None:
    """Raise LedgerError unless only we can have written the jobs: their commands run with our rights."""
    if problems := distrust(s, instance.schema, ["jobs"], with_code=True):
        raise LedgerError(
            f"the jobs in schema {instance.schema} cannot be trusted; nothing was done",
            detail=problems,
            hint="connect as the role that applied the files, and take away what others were granted",
        )


def choose(jobs: Sequence[Job], name: str) -> Job:
    """Return the job `<schema>:<job>` or, where only one has it, `<job>`; raise UsageError when there is none."""
    found = [job for job in jobs if job.name == name] or [job for job in jobs if job.job == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{name} is a job of several schemas: " + ", ".join(job.name for job in found))
    raise UsageError(f"there is no job {name!r}", hint="`companion jobs list` names them all")
