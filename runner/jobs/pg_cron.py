"""pg_cron: where it is, what it has scheduled of ours, and bringing it in step with the tables of jobs.

pg_cron lives in one database of a server. In that one a job is called `<schema>:<name>` and kept in step by the
trigger of its table. For any other, `sync` schedules it there as `companion:<database>:<schema>:<name>`, because names
are unique on the whole server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.conninfo import make_conninfo

from runner.errors import DatabaseError
from runner.jobs.runs import Run
from runner.postgres.session import Session, connect, fetch_one, identifier

# The setting is hidden from those who may not read all settings.
_WHERE_SQL = """
SELECT current_database(),
    EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_cron'),
    (SELECT setting FROM pg_settings WHERE name = 'cron.database_name')
"""
_ZONE_SQL = "SELECT coalesce((SELECT setting FROM pg_settings WHERE name = 'cron.timezone'), 'UTC')"
_SCHEDULED_SQL = """
SELECT j.jobname, j.jobid, j.schedule, j.command, j.active, j.username = current_user,
    r.started_at, r.status, r.return_message
FROM cron.job AS j
LEFT JOIN LATERAL (
    SELECT coalesce(d.start_time, d.end_time) AS started_at, d.status, d.return_message
    FROM cron.job_run_details AS d WHERE d.jobid = j.jobid ORDER BY d.runid DESC LIMIT 1
) AS r ON true
WHERE j.database = %s AND j.jobname IS NOT NULL
"""
# Unless somebody has changed it.
_DEFAULT = "postgres"
_FINISHED = ("succeeded", "failed")


@dataclass(frozen=True)
class Scheduled:
    """A job as pg_cron has it."""

    id: int
    schedule: str
    command: str
    active: bool
    ours: bool
    """Whether it runs as the user we are."""
    last: Run | None


class Cron:
    """The pg_cron that runs the jobs of one database."""

    def __init__(self, conn: psycopg.Connection[Any], database: str, user: str, elsewhere: str | None) -> None:
        """Use `conn`, a connection of `user` to where pg_cron is: the database `elsewhere`, with None `database`."""
        self.database, self.elsewhere = database, elsewhere
        self._conn, self._user = conn, user
        (zone,) = fetch_one(conn, _ZONE_SQL)
        # Small machines have no time zone database.
        self.timezone: tzinfo = timezone.utc if zone in ("UTC", "GMT") else ZoneInfo(zone)

    def __str__(self) -> str:
        return f"pg_cron in {self.elsewhere}" if self.elsewhere else "pg_cron"

    def prefix(self, schema: str | None = None) -> str:
        """Return what the names of all jobs of an instance begin with, or with None, where it is elsewhere, of all."""
        first = f"companion:{self.database}:" if self.elsewhere else ""
        return f"{first}{schema}:" if schema is not None else first

    @contextmanager
    def _permitted(self) -> Iterator[None]:
        """Turn a refusal of authority into a DatabaseError with the statements that would grant it."""
        try:
            yield
        except psycopg.errors.InsufficientPrivilege as error:
            user = identifier(self._user)
            where = f", in database {self.elsewhere}" if self.elsewhere else ""
            hint = f"as whoever manages pg_cron{where}: GRANT USAGE ON SCHEMA cron TO {user}"
            if self.elsewhere:
                function = "cron.schedule_in_database(text, text, text, text, text, boolean)"
                hint += f"; GRANT EXECUTE ON FUNCTION {function} TO {user}"
            message = f"{error.diag.message_primary} (SQLSTATE {error.sqlstate})"
            raise DatabaseError(message, hint=hint) from error

    def scheduled(self) -> dict[str, Scheduled]:
        """Return all named jobs of the database, by name; raise DatabaseError when we may not look."""
        with self._permitted():
            rows = self._conn.execute(_SCHEDULED_SQL.encode(), [self.database]).fetchall()
        found = {}
        for name, id, schedule, command, active, ours, started_at, status, message in rows:
            last = Run(started_at, status if status in _FINISHED else "running", message) if started_at else None
            found[name] = Scheduled(id, schedule, command, active, ours, last)
        return found

    def bring_in_step(
        self, declared: Mapping[str, tuple[str, str]], prefixes: Collection[str], *, dry_run: bool = False
    ) -> dict[str, str]:
        """Schedule `declared` (name: schedule, command), forget what else begins with `prefixes`, in one transaction.

        Returns what was done to each name, or with `dry_run` would be: `scheduled`, `changed` or `removed`. A job that
        somebody has deactivated stays so, unless it belonged to another user. Raises DatabaseError when we may not.
        """
        done = {}
        with self._permitted(), self._conn.transaction(force_rollback=dry_run):
            there = self.scheduled()
            for name, found in there.items():
                if name.startswith(tuple(prefixes)) and name not in declared:
                    self._unschedule(found)
                    done[name] = "removed"
            for name, wanted in declared.items():
                job = there.get(name)
                if job and (job.schedule, job.command) == wanted:
                    continue
                if job and not job.ours:
                    self._unschedule(job)
                self._schedule(name, *wanted)
                done[name] = "changed" if job else "scheduled"
        return done

    def _schedule(self, name: str, schedule: str, command: str) -> None:
        if self.elsewhere:
            sql = "SELECT cron.schedule_in_database(%s, %s, %s, %s)"
            self._conn.execute(sql, [name, schedule, command, self.database])
        else:
            self._conn.execute("SELECT cron.schedule(%s, %s, %s)", [name, schedule, command])

    def _unschedule(self, job: Scheduled) -> None:
        self._conn.execute("SELECT cron.unschedule(%s::bigint)", [job.id])


def is_elsewhere(session: Session) -> bool:
    """Say whether the server runs a pg_cron that is in another database, as far as we may know."""
    database, here, named = fetch_one(session.conn, _WHERE_SQL)
    return not here and named not in (None, database)


@contextmanager
def find(session: Session, cron_database: str | None = None) -> Iterator[Cron | None]:
    """Yield the pg_cron that runs the session's jobs, or None where there is none.

    It is looked for in the session's database, then in `cron_database`, else in the one the server names. Raises
    DatabaseError when `cron_database` has none.
    """
    database, here, named = fetch_one(session.conn, _WHERE_SQL)
    if here and cron_database in (None, database):
        yield Cron(session.conn, database, session.user, None)
        return
    other = cron_database or named or _DEFAULT
    if other == database:
        yield None
        return
    try:
        conn = connect(make_conninfo(session.conninfo, dbname=other))
    except DatabaseError:
        if cron_database:
            raise
        yield None
        return
    with conn:
        if fetch_one(conn, _WHERE_SQL)[1]:
            yield Cron(conn, database, session.user, other)
        elif cron_database:
            raise DatabaseError(
                f"there is no pg_cron in database {other}",
                hint="name the database in which CREATE EXTENSION pg_cron was run",
            )
        else:
            yield None
