"""What cannot come to a good end is refused before the first file: encoding, extensions, an owner who is no service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.errors import DatabaseError
from runner.history.instances import Target
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from runner.migrate.rehearse import rehearse
from runner.migrate.rollback import rollback
from tests.people import Person
from tests.runner.command import run
from tests.runner.notes import Notes
from tests.runner.state import ids, schemas
from tests.runner.trees import TREES, CopyTree
from tests.servers import cluster
from tests.use import run_jobs


@pytest.fixture(scope="module")
def server(bare: NoopExecutor) -> Iterator[str]:
    """The address of a server without any role of ours."""
    with cluster(bare) as address:
        yield address


@pytest.fixture
def latin1(url: str) -> Iterator[str]:
    """The address of a database in LATIN1."""
    name = f"{psycopg.conninfo.conninfo_to_dict(url)['dbname']}_latin1"
    with psycopg.connect(url, dbname="postgres", autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'".encode())
        yield make_conninfo(url, dbname=name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.mark.parametrize("work", [apply, adopt, rehearse])
def test_a_database_in_another_encoding_is_refused(latin1: str, work: Callable[..., object]) -> None:
    with pytest.raises(DatabaseError, match="holds text in LATIN1, and UTF8 is needed") as caught:
        work(Target(latin1), sql_root=TREES / "good")
    assert "TEMPLATE template0 ENCODING 'UTF8'" in str(caught.value.hint)
    with psycopg.connect(latin1) as conn:
        assert schemas(conn) == {"public", "information_schema"}


@pytest.mark.parametrize("work", [apply, adopt, rehearse])
def test_an_extension_that_the_server_has_not_is_named_with_who_can_do_without(
    url: str, conn: psycopg.Connection, tree: CopyTree, work: Callable[..., object]
) -> None:
    root = tree("two_systems")
    (file,) = root.glob("*/other/0001_*[!k].sql")
    file.write_text("-- requires: no_such_extension\n" + file.read_text())
    with pytest.raises(DatabaseError, match=r"^other needs extension no_such_extension: it is not on") as caught:
        work(Target(url), sql_root=root)
    assert caught.value.hint == "install it there; or apply what does without it: companion apply demo"
    assert schemas(conn) == {"public", "information_schema"}
    assert len(apply(Target(url, ["demo"]), sql_root=root)) >= 1


# The owner, whose rights jobs have, and service_role


@contextmanager
def owned(server: str, owner: str, attributes: str = "") -> Iterator[tuple[psycopg.Connection, str]]:
    """Make a role and a database of it; yield a superuser's connection to that, and the owner's address."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE {attributes}".encode())
        conn.execute(f"CREATE DATABASE {owner} OWNER {owner}".encode())
    try:
        with psycopg.connect(server, dbname=owner, autocommit=True) as conn:
            yield conn, make_conninfo(server, dbname=owner, user=owner)
    finally:
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute(f"DROP DATABASE {owner} WITH (FORCE)".encode())
            for role in ("anon", "authenticated", "service_role"):
                conn.execute(f"DROP ROLE IF EXISTS {role}".encode())
            conn.execute(f"DROP ROLE {owner}".encode())


def make_roles(conn: psycopg.Connection) -> None:
    """Let a superuser make the roles, as another installation on the server did."""
    for role in ("anon", "authenticated", "service_role"):
        conn.execute(f"CREATE ROLE {role} NOLOGIN".encode())


def jobs_run(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        run_jobs(Person(conn, "hugo"))


def test_who_is_no_member_of_service_role_is_told_what_to_grant(server: str) -> None:
    with owned(server, "stranger") as (conn, url):
        make_roles(conn)
        for work in (apply, rehearse):
            with pytest.raises(DatabaseError, match=r"^stranger does not inherit the rights of service_role") as caught:
                work(Target(url, ["hugo"]))
        assert schemas(conn) == {"public", "information_schema"}
        code, _, err = run("apply", "hugo", "--database", url, tree=Path("sql").absolute())
        assert code == 1 and "GRANT service_role TO" in err
        conn.execute(str(caught.value.hint).partition(": ")[2].encode())
        apply(Target(url, ["hugo"]))
        jobs_run(url)
        rollback(Target(url), everything=True)


def test_who_may_grant_service_role_is_made_a_member(server: str) -> None:
    with owned(server, "granting") as (conn, url):
        make_roles(conn)
        if conn.info.server_version >= 160000:
            conn.execute("GRANT service_role TO granting WITH ADMIN TRUE, INHERIT FALSE")
        else:
            conn.execute("GRANT service_role TO granting WITH ADMIN OPTION")
        rehearse(Target(url, ["hugo"]))
        notes = Notes()
        apply(Target(url, ["hugo"]), progress=notes)
        said = [note for note in notes.notes if "made granting a member of service_role" in note]
        assert len(said) == (conn.info.server_version >= 160000)
        jobs_run(url)
        rollback(Target(url), everything=True)


def test_an_owner_that_inherits_nothing_makes_roles_whose_rights_it_has(server: str) -> None:
    with owned(server, "loner", "NOINHERIT") as (conn, url):
        if conn.info.server_version < 160000:
            with pytest.raises(DatabaseError, match="does not inherit") as caught:
                apply(Target(url, ["hugo"]))
            conn.execute(str(caught.value.hint).partition(": ")[2].encode())
        apply(Target(url, ["hugo"]))
        jobs_run(url)
        rollback(Target(url), everything=True)


def test_a_tree_without_platform_asks_for_no_role(server: str) -> None:
    with owned(server, "plain") as (conn, url):
        apply(Target(url), sql_root=TREES / "good")
        assert ids(conn) == ["0001_a", "0002_b"]
