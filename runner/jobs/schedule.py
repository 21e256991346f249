"""When jobs run and ran, by whom, and bringing pg_cron in step with what is declared."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from cronsim import CronSim

from runner.errors import CompanionError, DatabaseError
from runner.history.instances import Target
from runner.jobs.declared import Job, check_trust, declared, instances
from runner.jobs.pg_cron import find, is_elsewhere
from runner.jobs.runs import Run, last_run
from runner.postgres.pace import DEFAULT
from runner.postgres.retry import patient
from runner.postgres.session import Database, session
from runner.progress import Progress

# Who runs a job where there is no pg_cron.
CRONTAB = "crontab"


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


def list_jobs(target: Target, *, cron_database: str | None = None, now: datetime | None = None) -> list[JobStatus]:
    """Return every job of the target's installed instances.

    `cron_database` says where pg_cron is, unless the server can. Next runs are those after `now`.
    """
    now = now or datetime.now(timezone.utc)
    with session(target.database) as s, patient(s, DEFAULT, Progress()), find(s, cron_database) as cron:
        jobs = declared(s, instances(s, target))
        scheduled = cron.scheduled() if cron else {}
        found = []
        for job in jobs:
            last = last_run(s, job)
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
    target: Target, *, cron_database: str | None = None, dry_run: bool = False, progress: Progress | None = None
) -> dict[str, str]:
    """Bring pg_cron in step with the tables of jobs; return what was done to which name (see `Cron.bring_in_step`).

    Raises DatabaseError where there is no pg_cron or we may not schedule, LedgerError for jobs that are not ours.
    """
    with session(target.database) as s, patient(s, DEFAULT, Progress()), find(s, cron_database) as cron:
        if progress and not dry_run:
            progress.about(s.about)
        s.settle()
        if cron is None:
            raise DatabaseError(
                "there is no pg_cron in this database, nor in the one where the server says it is",
                hint="name its database with --cron-database, or run the jobs by crontab: `companion jobs crontab`",
            )
        meant = instances(s, target)
        jobs = declared(s, meant)
        for instance in {job.instance for job in jobs}:
            check_trust(s, instance)
        wanted = {cron.prefix(job.instance.schema) + job.job: (job.schedule, job.command) for job in jobs}
        if target.systems or target.schema or not cron.elsewhere:
            prefixes = [cron.prefix(instance.schema) for instance in meant]
        else:
            prefixes = [cron.prefix()]
        return cron.bring_in_step(wanted, prefixes, dry_run=dry_run)


def out_of_step(database: Database) -> bool:
    """Say whether pg_cron is in another database and does not have our jobs as declared; False if we cannot know."""
    with suppress(CompanionError), session(database) as s:
        return is_elsewhere(s) and bool(sync(Target(database), dry_run=True))
    return False


def _next_run(schedule: str, now: datetime) -> datetime:
    """Return the next time a schedule names after `now`, in whose time zone it is read."""
    return next(CronSim(schedule, now)).astimezone(timezone.utc)
