"""What Debian's packages add: pg_cron, in the one database of the server where it can be, and PgBouncer."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner.history.instances import Target
from runner.migrate.rollback import rollback
from tests.servers import as_owner, make_folder

CRON_DATABASE = "companion_cron"
PGBOUNCER = Path("/usr/sbin/pgbouncer")

INI = """
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
pool_mode = {mode}
default_pool_size = {size}
auth_type = any
listen_addr =
listen_port = 6432
unix_socket_dir = {folder}
"""


@contextmanager
def running(url: str, mode: str, size: int = 3) -> Iterator[str]:
    """Run PgBouncer in front of the database `url`, as the server's own user; yield the address."""
    server = conninfo_to_dict(url)
    with psycopg.connect(url) as conn:
        ((data,),) = conn.execute("SHOW data_directory").fetchall()
    who = as_owner(data)
    folder = make_folder("pgbouncer")
    try:
        ini = folder / "pgbouncer.ini"
        ini.write_text(
            INI.format(
                host=server["host"],
                port=server.get("port", 5432),
                user=server.get("user", "postgres"),
                mode=mode,
                size=size,
                folder=folder,
            )
        )
        if who:
            for path in (folder, ini):
                os.chown(path, who["user"], who["group"])
        with (folder / "log").open("w") as log:
            process = subprocess.Popen([PGBOUNCER, ini], stdout=log, stderr=log, **who)
        try:
            address = make_conninfo(url, host=str(folder), port=6432)
            end = time.monotonic() + 30
            while not _answers(address):
                said = (folder / "log").read_text()
                assert process.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.01)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)
    finally:
        shutil.rmtree(folder)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture
def pgbouncer() -> Iterator[Callable[..., str]]:
    """Return a function that starts PgBouncer: `pgbouncer(url, mode, size)` gives the address through it."""
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(running(*args))


@pytest.fixture
def cron_database() -> Iterator[str]:
    """The address of pg_cron's database for this test alone, which it leaves as it was: with no job of anybody."""
    url = make_conninfo(os.environ["COMPANION_TEST_URL"], dbname=CRON_DATABASE)
    with psycopg.connect(url, dbname="postgres", autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(hashtextextended('companion_cron', 0))")
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION IF NOT EXISTS pg_cron")
            yield url
            if conn.execute("SELECT to_regclass('platform._companion_ledger')").fetchone() != (None,):
                rollback(Target(url), everything=True, discard_data=True)
            conn.execute("SELECT cron.unschedule(jobid) FROM cron.job")
            conn.execute("TRUNCATE cron.job_run_details")
