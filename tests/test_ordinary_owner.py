"""On a plain server, as docs/operations.md says: a role that is no superuser owns a database and applies everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.errors import DatabaseError
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.databases import REST_SQL
from tests.pages import blocks
from tests.people import Person
from tests.servers import cluster
from tests.use import SYSTEMS, USES, run_jobs, use

OPERATIONS = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
(SECTION,) = re.findall(r"^### A plain server$(.*?)^##", OPERATIONS, re.M | re.S)
OWNER_SQL, VECTOR_SQL, SERVICES_SQL = blocks("sql", SECTION)
OWNER, SERVICES = "companion_owner", "app"


@pytest.fixture(scope="module")
def server(bare: NoopExecutor) -> Iterator[str]:
    """The address of a new server with the owner's role and no others."""
    with cluster(bare) as address:
        with psycopg.connect(address, autocommit=True) as conn:
            conn.execute(OWNER_SQL)
        yield address


def make_database(server: str, name: str) -> str:
    """Make a database of the owner, as `createdb` does, and return its address for a superuser."""
    assert f"$ createdb --owner {OWNER} " in SECTION
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    return make_conninfo(server, dbname=name)


def test_the_owner_of_a_database_applies_uses_and_removes_everything(server: str) -> None:
    url = make_database(server, "app")
    owners = make_conninfo(url, user=OWNER)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(VECTOR_SQL)
        before = conn.execute(REST_SQL).fetchall()
    with psycopg.connect(owners) as conn:
        assert conn.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone() == (
            False,
            False,
        )
    apply(Target(owners))
    with psycopg.connect(owners, autocommit=True) as conn:
        conn.execute(SERVICES_SQL)
        # Anybody may be everybody in `use`; a visitor comes by PostgREST only.
        conn.execute(f"GRANT anon TO {SERVICES}")
    for system in SYSTEMS:
        with (
            closing(psycopg.connect(url, user=SERVICES)) as services,
            closing(psycopg.connect(owners)) as accounts,
        ):
            api = Person(services, system)
            with api.refused(sqlstate="42501"):
                api.run(f"SELECT FROM {system}.{USES[system].tables[0]}")
            use(USES[system], api, Person(accounts, system))
            accounts.commit()
            accounts.autocommit = True
            run_jobs(Person(accounts, system))
    restore_functions(owners)
    rollback(Target(owners), everything=True, discard_data=True)
    with psycopg.connect(url) as conn:
        assert conn.execute(REST_SQL).fetchall() == before


def restore_functions(owners: str) -> None:
    """Let the owner make every function anew, as a restored dump does: in a session that has loaded nothing."""
    with psycopg.connect(owners, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
            " WHERE n.nspname = ANY(%s)",
            [["platform", *SYSTEMS]],
        ).fetchall()
        assert len(rows) > 150
    with psycopg.connect(owners, autocommit=True) as conn:
        for (definition,) in rows:
            conn.execute(definition.encode())


def test_without_pgvector_the_owner_is_told_and_nothing_is_half_done(server: str) -> None:
    url = make_conninfo(make_database(server, "without"), user=OWNER)
    with pytest.raises(DatabaseError, match=r"^aurum, chatvrm, thinking_partner need pgvector") as refused:
        apply(Target(url))
    assert str(refused.value.hint).endswith("apply what does without it: companion apply hugo othello")
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT to_regnamespace('platform')").fetchone() == (None,)
    apply(Target(url, ["hugo", "othello"]))
    with psycopg.connect(url) as conn:
        names = {name for (name,) in conn.execute("SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_'")}
    assert names == {"information_schema", "public", "platform", "auth", "hugo", "othello"}
