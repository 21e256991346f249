"""Servers for tests: where their data lies, and one for a module of tests whose roles concern nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

# A crash loses nothing that anybody needs; and autovacuum would be in the way of who locks a table, now and then.
CAREFREE = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}

# What the data of all tests takes, with room to spare.
ROOM = 6 * 2**30


# Names the folder in which a run of the tests makes its folders.
FOLDER = "COMPANION_TEST_FOLDER"


def make_folder(name: str) -> Path:
    """Make a folder for a server's data, in memory if there is room: copying databases takes a tenth of the time."""
    place = os.environ.get(FOLDER)
    if not place and Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > ROOM:
        place = "/dev/shm"
    # Short, for the paths of sockets are.
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-" if FOLDER in os.environ else f"companion-{name}-", dir=place))
    folder.chmod(0o755)
    return folder


def as_owner(data: str) -> dict[str, Any]:
    """Return the options with which subprocess acts as who owns a server's data folder.

    PostgreSQL and PgBouncer refuse to run as root. Only root can become somebody else, and needs to.
    """
    owner = Path(data).stat()
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}


@contextmanager
def cluster(
    beside: NoopExecutor, superuser: str = "postgres", settings: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Start a new server, yield the address of its database `postgres`, and remove it.

    It is made from the programs of the server `beside`, and run by the system user who runs that one. It listens on a
    socket only, and lets in whoever gives the name of a role.
    """
    with psycopg.connect(
        host=beside.host, port=beside.port, user=beside.user, password=beside.password or None, dbname="postgres"
    ) as conn:
        row = conn.execute(
            "SELECT c.setting, current_setting('data_directory') FROM pg_config AS c WHERE c.name = 'BINDIR'"
        ).fetchone()
    assert row is not None
    programs, who = Path(row[0]), as_owner(row[1])
    folder = make_folder("cluster")
    data = folder / "data"
    data.mkdir(mode=0o700)
    if who:
        for path in (folder, data):
            os.chown(path, who["user"], who["group"])

    def run(program: str, *arguments: str) -> None:
        # Into a file: a pipe would be held open by the server that is started.
        with (folder / f"{program}.log").open("w+") as log:
            done = subprocess.run(
                [programs / program, "-D", data, *arguments], stdout=log, stderr=log, cwd=folder, timeout=60, **who
            )
            log.seek(0)
            assert done.returncode == 0, log.read()

    lines = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "port": "5432",
        **CAREFREE,
        **(settings or {}),
    }
    try:
        run("initdb", "-U", superuser, "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        with (data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
        run("pg_ctl", "start", "-w", "-s", "-l", str(data / "log"))
        try:
            yield make_conninfo(host=str(folder), port=5432, user=superuser, dbname="postgres")
        finally:
            run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
