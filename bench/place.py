"""Where the measurements happen: an embedded server of their own, just as `companion up` starts it."""

from __future__ import annotations

import atexit
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import ExecStatus

from runner.postgres import embedded


@dataclass(frozen=True)
class Place:
    """A running server: its address, its psql, and a folder for temporary files."""

    url: str
    psql: str
    folder: Path

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Make an empty database, yield its address and drop it."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield make_conninfo(self.url, dbname=name)
        finally:
            with psycopg.connect(self.url, autocommit=True) as conn:
                conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def describe(self) -> str:
        """Return the machine in general terms."""
        with psycopg.connect(self.url) as conn:
            version = conn.info.server_version
            row = conn.execute("SELECT current_setting('shared_buffers'), current_setting('fsync')").fetchone()
        assert row
        memory = ""
        with suppress(ValueError, OSError, AttributeError):
            memory = f", {round(os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30)} GB of memory"
        return (
            f"{os.cpu_count()} cores{memory}, {platform.system()} ({platform.machine()}), "
            f"PostgreSQL {version // 10000}.{version % 10000} (shared_buffers {row[0]}, fsync {row[1]}), "
            f"Python {sys.version_info.major}.{sys.version_info.minor}"
        )


@contextmanager
def place() -> Iterator[Place]:
    """Start a server in a temporary folder; stop it and remove the folder at the end, whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="companion-bench-"))
    # Run by root, the server is another user, who must reach its data.
    home.chmod(0o755)
    # The wheel touches its lock file once more as Python exits; registered before the wheel, this comes after it.
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    with mock.patch.dict(os.environ, COMPANION_HOME=str(home)):
        try:
            url = embedded.start()
            yield Place(url, embedded.psql_command()[0][0], home)
        finally:
            embedded.stop()
            shutil.rmtree(home, ignore_errors=True)


def run(command: Sequence[str]) -> None:
    """Run a program to its end without showing what it prints; raise RuntimeError with that when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed with {done.returncode}: {done.stdout}{done.stderr}")


class Session:
    """A connection whose statements are timed as any client waits for them: from sending to the last row received.

    It goes through libpq's own calls, so that Python's conversion of values is no part of the time.
    """

    def __init__(self, url: str, schema: str) -> None:
        self.conn: psycopg.Connection[Any] = psycopg.connect(url, autocommit=True)
        self.conn.execute(f'SET search_path = "{schema}", platform, pg_temp'.encode())
        # On both sides of a comparison the wait for the disk would hide what is compared.
        self.conn.execute("SET synchronous_commit = off")
        self._authenticated = False

    def act_as(self, user: UUID | str) -> None:
        """Be `authenticated` with a token of this `sub` from now on."""
        self.conn.execute("SELECT set_config('request.jwt.claims', %s, false)", [f'{{"sub": "{user}"}}'])
        if not self._authenticated:
            self.conn.execute("SET ROLE authenticated")
            self._authenticated = True

    def act_as_service(self) -> None:
        """Be `service_role` from now on."""
        self.conn.execute("SET ROLE service_role")

    def prepare(self, name: str, query: str) -> None:
        """Prepare `query`, whose parameters are $1, $2, …, under `name`."""
        self._check(self.conn.pgconn.prepare(name.encode(), query.encode()))

    def time(self, name: str, *values: object) -> float:
        """Execute a prepared statement and return the seconds until its last row is here."""
        parameters = [str(value).encode() for value in values]
        start = time.perf_counter()
        result = self.conn.pgconn.exec_prepared(name.encode(), parameters)
        took = time.perf_counter() - start
        self._check(result)
        return took

    def plan(self, name: str, *values: object) -> dict[str, Any]:
        """Execute a prepared statement and return its plan with what really happened (EXPLAIN ANALYZE, BUFFERS)."""
        literals = ", ".join(f"'{value}'" for value in values)
        query = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {name}" + (f" ({literals})" if values else "")
        row = self.conn.execute(query.encode()).fetchone()
        assert row
        plan: dict[str, Any] = row[0][0]["Plan"]
        return plan

    def close(self) -> None:
        """Close the connection."""
        self.conn.close()

    def _check(self, result: psycopg.pq.abc.PGresult) -> None:
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            raise RuntimeError(result.error_message.decode())
