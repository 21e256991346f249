"""Acting as a person: the owner, a user with a token, a visitor, a service; and what each is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

Params = Sequence[Any] | dict[str, Any] | None


class Person:
    """A connection whose search_path is one instance of a system, with the role of whoever it acts as.

    It starts as the owner. `as_user`, `as_anon` and `as_service` change that for the length of a `with` block.
    """

    def __init__(self, conn: psycopg.Connection[Any], schema: str) -> None:
        self.conn = conn
        self.schema = schema
        self.run(f'SET search_path = "{schema}", platform, pg_temp')

    def run(self, sql: str, params: Params = None) -> int:
        """Run a statement and return the number of rows it touched."""
        return self.conn.execute(sql.encode(), params).rowcount

    def rows(self, sql: str, params: Params = None) -> list[Any]:
        """Run a query and return its rows as named tuples."""
        with self.conn.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(sql.encode(), params).fetchall()

    def row(self, sql: str, params: Params = None) -> Any:
        """Run a query that gives exactly one row and return it as a named tuple."""
        rows = self.rows(sql, params)
        assert len(rows) == 1, f"{len(rows)} rows instead of one: {sql}"
        return rows[0]

    def value(self, sql: str, params: Params = None) -> Any:
        """Run a query that gives exactly one row of one column and return it."""
        (value,) = self.row(sql, params)
        return value

    @contextmanager
    def as_user(self, uid: UUID | str) -> Iterator[Person]:
        """Act as the person for whom a token with this `sub` was issued."""
        with self._acting("authenticated", {"sub": str(uid), "role": "authenticated"}):
            yield self

    @contextmanager
    def as_anon(self) -> Iterator[Person]:
        """Act as a visitor without a token."""
        with self._acting("anon", {"role": "anon"}):
            yield self

    @contextmanager
    def as_service(self) -> Iterator[Person]:
        """Act as a service that holds the service role's key."""
        with self._acting("service_role", {"role": "service_role"}):
            yield self

    @contextmanager
    def refused(self, constraint: str | None = None, sqlstate: str | None = None) -> Iterator[Any]:
        """Expect the block to be refused by the rule of this name (or with this SQLSTATE), and undo it.

        Yields pytest's exception info, for a look at the message.
        """
        assert constraint or sqlstate, "say by what it is refused"
        with pytest.raises(psycopg.Error) as caught, self.conn.transaction():
            yield caught
        diag = caught.value.diag
        if constraint is not None:
            assert diag.constraint_name == constraint, caught.value
            assert diag.schema_name == self.schema, caught.value
            assert diag.table_name, caught.value
        if sqlstate is not None:
            assert diag.sqlstate == sqlstate, caught.value

    @contextmanager
    def _acting(self, role: str, claims: dict[str, str]) -> Iterator[None]:
        scope = "SESSION" if self.conn.autocommit else "LOCAL"
        self._claim(json.dumps(claims))
        self.run(f"SET {scope} ROLE {role}")
        try:
            yield
        finally:
            # In a failed transaction nothing can be said any more; its rollback restores the role.
            if self.conn.info.transaction_status != TransactionStatus.INERROR and not self.conn.closed:
                self.run(f"SET {scope} ROLE none")
                self._claim("")

    def _claim(self, claims: str) -> None:
        self.run("SELECT set_config('request.jwt.claims', %s, %s)", [claims, not self.conn.autocommit])


def insert(db: Person, table: str, **columns: Any) -> Any:
    """Insert a row and return its id."""
    names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    return db.value(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id", columns)


def outcome(db: Person, sql: str, values: dict[str, Any]) -> tuple[Any, ...]:
    """Run a statement, undo it, and return the number of rows, or SQLSTATE and all that the error says without ids."""
    try:
        with db.conn.transaction(force_rollback=True):
            return (db.run(sql, values),)
    except psycopg.Error as error:
        diag = error.diag
        said = [
            diag.constraint_name, diag.message_primary, diag.message_detail, diag.message_hint, diag.table_name,
            diag.schema_name, diag.context,
        ]  # fmt: skip
        return diag.sqlstate, *(part and re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", part) for part in said)


def insertion(db: Person, table: str, columns: dict[str, Any], conflict: str = "") -> tuple[Any, ...]:
    """Insert a row, undo it, and return the outcome."""
    marks = ", ".join(f"%({column})s" for column in columns)
    return outcome(db, f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {conflict}", columns)


def contents(db: Person, owners: dict[str, str], user: UUID) -> list[tuple[str, ...]]:
    """Return all rows of a user, with their places and by whom they were written; `owners` is table and column."""
    one = "SELECT '{0}', t.tableoid::text, t.ctid::text, t.xmin::text, t::text FROM {0} AS t WHERE t.{1} = %(user)s"
    sql = " UNION ALL ".join(one.format(*pair) for pair in owners.items())
    return sorted(tuple(row) for row in db.rows(sql, {"user": user}))


@contextmanager
def blocked(waiting: Person, holding: Person, sql: str, params: Params = None) -> Iterator[Future[int]]:
    """Run a statement in a session that has to wait for another one, and yield while it waits.

    Before the block is left the other session must have let go; the statement's outcome is the future's.
    """
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(waiting.run, sql, params)
        pids = [waiting.conn.info.backend_pid, holding.conn.info.backend_pid]
        while not holding.value("SELECT %s = ANY (pg_blocking_pids(%s))", pids[::-1]):
            assert not future.done(), "it did not wait"
        try:
            yield future
            future.exception(timeout=30)
        finally:
            if not future.done():
                waiting.conn.cancel()


def at_once(people: list[Person], sql: str, params: Params = None) -> list[Any]:
    """Let each ask for a row, all at the same moment, and return what they got."""
    barrier = Barrier(len(people))

    def ask(person: Person) -> Any:
        barrier.wait(timeout=30)
        return person.row(sql, params)

    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(ask, people))


def kill(victim: Person, by: Person) -> None:
    """End a session on the server, whatever it is doing, and wait until it is gone."""
    assert by.value("SELECT pg_terminate_backend(%s, 10000)", [victim.conn.info.backend_pid])
    victim.conn.close()


def work_together(
    connect: Callable[[], Person],
    claim: Callable[[Person, int], list[UUID]],
    finish: Callable[[Person, UUID], object],
    due: int,
) -> int:
    """Let twenty workers, one of whom dies, do all that is due, see that nothing is done twice, return what is left.

    That is of what the dead one held, when the others had found nothing more before it died.
    """
    owner, victim, *workers = [connect() for _ in range(21)]
    barrier = Barrier(20)
    for person in (victim, *workers):
        person.run("SET ROLE service_role")
    victim.run("BEGIN")
    held = set(claim(victim, 7))
    assert len(held) == 7

    def work(worker: Person) -> list[UUID]:
        done = []
        barrier.wait(timeout=30)
        while taken := claim(worker, 3):
            for id in taken:
                finish(worker, id)
                done.append(id)
        return done

    with ThreadPoolExecutor(19) as pool:
        outcomes = [pool.submit(work, worker) for worker in workers]
        barrier.wait(timeout=30)
        # In the middle of its transaction, while the others are at work.
        kill(victim, by=owner)
        done = Counter(id for outcome in outcomes for id in outcome.result(timeout=30))
    left = claim(owner, 100)
    assert set(left) <= held
    done.update(left)
    assert (len(done), set(done.values())) == (due, {1})
    return len(left)
