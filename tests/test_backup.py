"""A database that was dumped and restored is as good as the one it came from, for who restores it and who uses it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.contract.check import check
from runner.contract.verify import verify
from runner.history.instances import Target
from runner.history.status import status
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.migrate.seed import seed
from runner.postgres import embedded
from tests.examples import rows_of, system_of
from tests.people import Person
from tests.servers import cluster, make_folder
from tests.use import SYSTEMS, run_jobs

OWNER = "companion_owner"


@dataclass(frozen=True)
class Place:
    """A server with a role that owns databases, and the programs that belong to it."""

    address: str
    programs: Path

    def database(self, name: str) -> str:
        """Make a database of the owner as docs/operations.md says, with pgvector; return its address."""
        with psycopg.connect(self.address, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name} OWNER {OWNER}".encode())
        with psycopg.connect(self.address, dbname=name, autocommit=True) as conn:
            conn.execute("CREATE EXTENSION vector")
        return make_conninfo(self.address, dbname=name)

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the server to its end, without a complaint; return what it prints."""
        done = subprocess.run([self.programs / program, *arguments], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def place(bare: NoopExecutor) -> Iterator[Place]:
    with cluster(bare) as address, psycopg.connect(address, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE".encode())
        ((programs,),) = conn.execute("SELECT setting FROM pg_config WHERE name = 'BINDIR'").fetchall()
        yield Place(address, Path(programs))


@pytest.fixture(scope="module", autouse=True)
def scratch_server() -> Iterator[None]:
    """An embedded server of these tests' own, where verify makes its scratch databases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPANION_HOME", str(make_folder("backup")))
        yield
        embedded.stop()


@pytest.fixture(scope="module")
def source(place: Place) -> str:
    """The address of a database of the owner in which all systems have been used, for the owner."""
    url = place.database("source")
    owners = make_conninfo(url, user=OWNER)
    apply(Target(owners))
    seed(Target(owners))
    return owners


@pytest.mark.parametrize("role", ["postgres", OWNER])
def test_a_whole_database(place: Place, source: str, tmp_path: Path, role: str) -> None:
    place.run("pg_dump", "-Fc", "-f", str(tmp_path / "dump"), make_conninfo(source, user=role))
    name = f"restored_by_{role}"
    url = make_conninfo(place.database(name), user=role)
    # The extension is there, and its comment is for superusers to set.
    listed = place.run("pg_restore", "-l", str(tmp_path / "dump"))
    wanted = "".join(line for line in listed.splitlines(keepends=True) if " EXTENSION " not in line)
    (tmp_path / "list").write_text(wanted if role == OWNER else listed)
    place.run("pg_restore", "--exit-on-error", "-L", str(tmp_path / "list"), "-d", url, str(tmp_path / "dump"))
    owners = make_conninfo(url, user=OWNER)
    assert [one.instance.system for one in status(Target(owners)) if not one.clean] == []
    assert {str(one.instance): one.differences for one in verify(Target(owners)) if one.differences} == {}
    assert {one.system: one.broken for one in check(Target(owners)) if one.broken} == {}
    with psycopg.connect(url, user="postgres") as conn:
        for system in map(system_of, SYSTEMS):
            # Here pgvector is in public.
            examples = [replace(one, sql=one.sql.replace("extensions.", "public.")) for one in system.examples.values()]
            assert [one.function for one in examples if not rows_of(conn, system, one)] == []
    with psycopg.connect(owners, autocommit=True) as conn:
        for name in SYSTEMS:
            run_jobs(Person(conn, name))
    assert apply(Target(owners)) == []
    assert len(rollback(Target(owners, ["hugo"]))) == 1
    assert len(apply(Target(owners))) == 1
