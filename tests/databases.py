"""Databases for tests: copies of one another, filled once, each with the instances that tests need."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zlib import crc32

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_postgresql.executors import NoopExecutor
from pytest_postgresql.janitor import DatabaseJanitor

from runner.history.instances import Target
from runner.migrate.apply import apply

# Which schemas the suite of each system runs in: under its own name, as a tenant's, and in public.
INSTANCES = {
    "hugo": ["hugo", "hugo_acme", "public"],
    "othello": ["othello", "othello_acme"],
    "thinking_partner": ["thinking_partner", "thinking_acme"],
    "chatvrm": ["chatvrm", "chatvrm_acme"],
    "aurum": ["aurum", "aurum_acme"],
}


# The address of a database to test in the place of those that the runner makes; see tests/mutants.
MUTANT = "COMPANION_TEST_MUTANT"


_numbers = itertools.count(1)


@contextmanager
def cloned(server: NoopExecutor, name: str, source: str | None = None) -> Iterator[str]:
    """Make a copy of the database with the address `source`, or an empty one; yield its address and drop it."""
    copy = _copy(server, f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_numbers)}", source)
    copy.init()
    try:
        yield _address(copy)
    finally:
        copy.drop()


@contextmanager
def filled(server: NoopExecutor, name: str, fill: Callable[[str], None], source: str | None = None) -> Iterator[str]:
    """Yield the address of a copy (see `cloned`) that is filled once for all processes of this run.

    Whoever comes first fills it while the others wait, and the last one to leave drops it. They share it: a test must
    roll back what it does there.
    """
    copy = _copy(server, f"{name}_{os.environ.get('PYTEST_XDIST_TESTRUNUID', 'main')[:8]}", source)
    filling = crc32(copy.dbname.encode())
    using = -filling
    with psycopg.connect(_address(copy), dbname="postgres", autocommit=True) as conn:
        conn.execute("SELECT pg_advisory_lock(%s)", [filling])
        if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [copy.dbname]).fetchone() is None:
            copy.init()
            try:
                fill(_address(copy))
            except BaseException:
                copy.drop()
                raise
        conn.execute("SELECT pg_advisory_lock_shared(%s), pg_advisory_unlock(%s)", [using, filling])
        try:
            yield _address(copy)
        finally:
            conn.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock_shared(%s)", [filling, using])
            if conn.execute("SELECT 1 WHERE pg_try_advisory_lock(%s)", [using]).fetchone() is not None:
                copy.drop()


def _copy(server: NoopExecutor, dbname: str, source: str | None) -> DatabaseJanitor:
    return DatabaseJanitor(
        user=server.user,
        password=server.password,
        host=server.host,
        port=server.port,
        dbname=dbname,
        template_dbname=conninfo_to_dict(source)["dbname"] if source else server.template_dbname,
    )


def _address(copy: DatabaseJanitor) -> str:
    return make_conninfo(
        host=copy.host, port=copy.port, user=copy.user, password=copy.password or None, dbname=copy.dbname
    )


def _migrate(url: str) -> None:
    for system, schemas in INSTANCES.items():
        for schema in schemas:
            apply(Target(url, [system], schema))


# What is left of a database apart from roles, auth and extensions, which are shared with others and stay.
REST_SQL = """
SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('auth', 'extensions')
UNION ALL
SELECT 'object ' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema$|auth$|extensions$)'
UNION ALL
SELECT 'function ' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^(pg_|information_schema$|auth$|extensions$)'
UNION ALL SELECT 'default privilege ' || oid::text FROM pg_default_acl
UNION ALL SELECT 'public ' || nspacl::text FROM pg_namespace WHERE nspname = 'public'
ORDER BY 1
"""
