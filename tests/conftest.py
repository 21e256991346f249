"""The harness: a server of its own, a template database migrated once by the runner, and people to act as.

The server is the embedded one, in a temporary folder, unless COMPANION_TEST_URL names another. Every system is applied
to a template database in each of its instances (see INSTANCES); most tests run in one transaction on a clone of it that
is rolled back. Those that need several sessions get a clone of their own, of a template with one instance.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from zlib import crc32

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.postgres import embedded
from tests.databases import INSTANCES, MUTANT, _migrate, cloned, filled
from tests.people import Person
from tests.servers import CAREFREE, FOLDER, make_folder

# What needs Debian's packages; tests/debian/with_server sees to them.
collect_ignore = [] if "COMPANION_TEST_DEBIAN" in os.environ else ["debian"]

# Many sessions at once, in tests of concurrency.
SERVER_SETTINGS = {**CAREFREE, "max_connections": "300", "shared_buffers": "256MB"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-instance",
        action="store_true",
        help="run each test of a system in all its schemas; otherwise in one, another one for the next test",
    )
    parser.addoption(
        "--fewer-rows",
        action="store_true",
        help="let the largest user have 6,000 memories instead of 20,000: enough for the index to be followed",
    )
    parser.addoption("--statements", type=int, default=2000, help="how many to make at random in each system")
    parser.addoption("--at-random", action="store_true", help="make other statements each time")


def pytest_report_header() -> str | None:
    return "left out: tests/debian, run by `make test-debian`" if collect_ignore else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring tests with much data to the front, where they hold up nobody, and leave each in one of its instances.

    That instances are alike is shown by test_chain.py.
    """
    items.sort(key=lambda item: "large" not in getattr(item, "fixturenames", ()))
    if config.getoption("--every-instance"):
        return
    kept, left_out = [], []
    for item in items:
        call = getattr(item, "callspec", None)
        schema = call.params.get("schema") if call else None
        schemas = next((names for names in INSTANCES.values() if schema in names), [])
        if not call or not schemas:
            kept.append(item)
            continue
        others = [part for part in call.id.split("-") if part != schema]
        turn = crc32("-".join([item.nodeid.partition("[")[0], *others]).encode()) % len(schemas)
        (kept if schemas[turn] == schema else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_configure(config: pytest.Config) -> None:
    # Ignored where the tests were started in the background; the commands that they start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # What is set for the person who runs the tests is about another server.
    for name in [name for name in os.environ if name.startswith("PG") and not name.startswith("PGSERVER_")]:
        del os.environ[name]
    config.addinivalue_line("markers", "rule(id, shows): the rule a test shows; shows is 'accepts' or 'refuses'")
    if not hasattr(config, "workerinput"):
        home = make_folder("test")
        # The wheel touches its lock file once more as Python exits; registered before it, this comes after.
        atexit.register(shutil.rmtree, home, ignore_errors=True)
        # All further folders go into it, those of the other processes too.
        os.environ[FOLDER] = str(home)
        if "COMPANION_TEST_URL" not in os.environ:
            config.stash[_HOME] = home
            os.environ["COMPANION_TEST_URL"] = _start_server(home)
    address = conninfo_to_dict(os.environ["COMPANION_TEST_URL"])
    config.option.postgresql_host = address.get("host", "localhost")
    config.option.postgresql_port = int(address.get("port", 5432))
    config.option.postgresql_user = address.get("user", "postgres")
    config.option.postgresql_password = address.get("password", "")


def pytest_unconfigure(config: pytest.Config) -> None:
    home = config.stash.get(_HOME, None)
    if home is not None:
        with mock.patch.dict(os.environ, COMPANION_HOME=str(home)):
            embedded.stop()
        os.environ.pop("COMPANION_TEST_URL", None)


_HOME = pytest.StashKey[Path]()


def _start_server(home: Path) -> str:
    with mock.patch.dict(os.environ, COMPANION_HOME=str(home)):
        url = embedded.start()
        with psycopg.connect(url, autocommit=True) as conn:
            for name, value in SERVER_SETTINGS.items():
                conn.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        embedded.stop()
        return embedded.start()


bare = factories.postgresql_noproc(dbname="companion_bare")


@pytest.fixture(scope="session")
def shared_database(bare: NoopExecutor) -> Iterator[str]:
    """The address of a database with all instances that all transactions of this process are rolled back in."""
    if mutant := os.environ.get(MUTANT):
        with cloned(bare, "shared", mutant) as url:
            yield url
        return
    with filled(bare, "template", _migrate) as template, cloned(bare, "shared", template) as url:
        yield url


@pytest.fixture(scope="session")
def template_of(bare: NoopExecutor) -> Iterator[Callable[[str], str]]:
    """Return a function that gives the address of a database with this instance alone: it is copied in no time."""
    system_of = {schema: system for system, schemas in INSTANCES.items() for schema in schemas}
    with ExitStack() as stack:

        @cache
        def template(schema: str) -> str:
            if mutant := os.environ.get(MUTANT):
                return mutant

            def migrate(url: str) -> None:
                apply(Target(url, [system_of[schema]], schema))

            return stack.enter_context(filled(bare, f"template_{schema}", migrate))

        yield template


@pytest.fixture
def own_database(bare: NoopExecutor, template_of: Callable[[str], str], schema: str) -> Iterator[str]:
    """The address of a database with the instance `schema` for one test, which may commit."""
    with cloned(bare, "own", template_of(schema)) as url:
        yield url


@pytest.fixture
def empty_database(bare: NoopExecutor) -> Iterator[str]:
    """The address of an empty database for one test."""
    with cloned(bare, "empty") as url:
        yield url


@pytest.fixture(scope="session")
def shared_connection(shared_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def db(shared_connection: psycopg.Connection[Any], schema: str) -> Iterator[Person]:
    """The owner of the schema, in a transaction that is rolled back after the test."""
    person = Person(shared_connection, schema)
    yield person
    shared_connection.rollback()


@pytest.fixture
def connect(own_database: str, schema: str) -> Iterator[Callable[[], Person]]:
    """Open sessions, each committing by itself, on a database of this test's own."""
    with ExitStack() as stack:

        def opened() -> Person:
            # What waits for ever is a failure, not a hanging test.
            conn = psycopg.connect(own_database, autocommit=True, options="-c statement_timeout=30s")
            return Person(stack.enter_context(conn), schema)

        yield opened
