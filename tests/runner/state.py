"""What a database holds after a run, and being in the way of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from runner.history import ledger


def ids(conn: psycopg.Connection, schema: str = "demo") -> list[str]:
    found = ledger.read(lambda query: conn.execute(query.encode()).fetchone()[0]).get(schema)
    return [entry.id for entry in found.entries] if found else []


def schemas(conn: psycopg.Connection) -> set[str]:
    return {name for (name,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")}


@contextmanager
def locked(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """Hold the locks of `statement` in a transaction of another session."""
    with psycopg.connect(url, application_name="nightly report") as other:
        other.execute(statement.encode())
        yield other
        other.rollback()
