"""In Turkish, I is not the capital of i: identifiers and keywords are folded all the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.people import Person
from tests.servers import cluster
from tests.use import USES, run_jobs, use


@pytest.fixture(scope="module")
def turkish(bare: NoopExecutor) -> Iterator[str]:
    """The address of a database in Turkish with all systems."""
    with cluster(bare) as server:
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute("CREATE DATABASE app TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr' LOCALE 'C.UTF-8'")
        url = make_conninfo(server, dbname="app")
        with psycopg.connect(url) as conn:
            assert conn.execute("SELECT lower('I')").fetchone() != ("i",)
        apply(Target(url))
        yield url


@pytest.mark.parametrize("system", USES)
def test_everything_works_as_elsewhere(turkish: str, system: str) -> None:
    with closing(psycopg.connect(turkish)) as api, closing(psycopg.connect(turkish)) as auth:
        use(USES[system], Person(api, system), Person(auth, system))
        auth.commit()
        auth.autocommit = True
        run_jobs(Person(auth, system))


def test_what_was_done_is_written_in_plain_letters(turkish: str) -> None:
    with psycopg.connect(turkish) as conn:
        found = conn.execute("SELECT DISTINCT action FROM chatvrm.audit_logs ORDER BY 1").fetchall()
    assert ("insert",) in found
    assert all(action.isascii() for (action,) in found)
