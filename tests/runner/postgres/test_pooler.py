"""Poolers between the runner and the server: one that shares sessions is refused, one that does not is as good as none.

The pooler here is a small one of the tests' own; PgBouncer itself is in tests/debian/test_pgbouncer.py.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from runner.catalog.describe import describe
from runner.errors import LockTimeoutError, UsageError
from runner.history.instances import Target
from runner.history.status import status
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.postgres import pooler
from runner.postgres.pace import Pace
from tests.runner.command import run
from tests.runner.poolers import COMMANDS, GOOD, Pooler


@pytest.fixture
def pooled(url: str) -> Iterator[Callable[..., Pooler]]:
    """Return a function that starts a pooler before the test's database."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Pooler(url, **options))


def contents(conn: psycopg.Connection[Any]) -> list[Any]:
    """Return what is in the database and who holds advisory locks there."""
    found = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_t' ORDER BY 1").fetchall()
    locks = conn.execute(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return [*found, describe(conn, "demo"), *locks]


@pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_nothing_is_done_where_sessions_are_handed_on(
    url: str,
    conn: psycopg.Connection[Any],
    pooled: Callable[..., Pooler],
    command: Callable[[str], Any],
    applied: bool,
) -> None:
    if applied:
        apply(Target(url, ["demo"]), sql_root=GOOD, to="0001_a")
    before = contents(conn)
    shared = pooled(shared=True)
    with pytest.raises(UsageError, match="transaction mode") as caught:
        command(shared.address)
    assert caught.value.hint == "give the address of the server itself, or of a pooler in session mode"
    assert contents(conn) == before


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("fifo", [False, True], ids=["last one first", "in turn"])
def test_however_sessions_are_chosen_it_is_noticed(pooled: Callable[..., Pooler], size: int, fifo: bool) -> None:
    shared = pooled(shared=True, size=size, fifo=fifo)
    for _ in range(5):
        with pytest.raises(UsageError, match="transaction mode"):
            apply(Target(shared.address), sql_root=GOOD)


def test_it_is_noticed_while_others_are_busy(pooled: Callable[..., Pooler]) -> None:
    shared = pooled(shared=True, size=2)
    over = threading.Event()

    def work() -> None:
        with psycopg.connect(shared.address, prepare_threshold=None) as busy:
            while not over.is_set():
                busy.execute("SELECT pg_sleep(0.001)")
                busy.commit()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            with pytest.raises(UsageError, match="transaction mode"):
                apply(Target(shared.address), sql_root=GOOD)
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_a_pooler_that_keeps_sessions_apart_is_as_good_as_none(
    conn: psycopg.Connection[Any], pooled: Callable[..., Pooler]
) -> None:
    kept = pooled(shared=False)
    assert len(apply(Target(kept.address), sql_root=GOOD)) == 2
    assert kept.accepted > 2
    assert [one.state.pending for one in status(Target(kept.address), sql_root=GOOD)] == [[]]
    assert len(rollback(Target(kept.address, ["demo"]), everything=True)) == 2
    assert describe(conn, "demo") == {}


def test_one_that_has_no_second_session_to_give_is_taken_for_such_a_one(
    pooled: Callable[..., Pooler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "PATIENCE", 0.3)
    full = pooled(shared=False, size=1)
    assert len(apply(Target(full.address), sql_root=GOOD)) == 2
    assert full.accepted == 2
    closed = pooled(shared=False, clients=1)
    assert len(rollback(Target(closed.address, ["demo"]))) == 1
    assert closed.accepted >= 2


def test_a_lock_is_waited_for_no_longer_where_nobody_can_look_who_holds_it(
    conn: psycopg.Connection[Any], pooled: Callable[..., Pooler], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pooler, "PATIENCE", 0.3)
    full = pooled(shared=False, size=1)
    apply(Target(full.address), sql_root=GOOD)
    conn.execute("BEGIN; LOCK TABLE demo.b")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(rollback, Target(full.address, ["demo"]), pace=Pace(lock_timeout=0.4, pauses=(0.1,)))
        with pytest.raises(LockTimeoutError, match="blocked by another session"):
            future.result(timeout=10)


def test_the_server_itself_is_asked_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> bool:
        raise AssertionError

    monkeypatch.setattr(pooler, "shares_sessions", fail)
    assert len(apply(Target(url), sql_root=GOOD)) == 2


def test_status_needs_no_session_and_leaves_no_setting_behind(url: str, pooled: Callable[..., Pooler]) -> None:
    apply(Target(url), sql_root=GOOD)
    shared = pooled(shared=True, size=1)
    code, out, err = run("status", "--json", "--database", shared.address)
    assert (code, err) == (0, "")
    assert '"applied"' in out
    assert run("apply", "--database", shared.address)[0] == 0
    with psycopg.connect(shared.address) as after:
        settings = after.execute(
            "SELECT pg_backend_pid(), current_setting('transaction_read_only'), current_setting('statement_timeout'),"
            " (SELECT count(*) FROM pg_settings WHERE source = 'session' AND name <> 'client_encoding')"
        ).fetchone()
    assert settings == (*shared.pids, "off", "0", 0)


def test_the_command_line_says_which_address_to_give(url: str, pooled: Callable[..., Pooler]) -> None:
    code, out, err = run("apply", "--database", pooled(shared=True).address)
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "error: the address leads to a connection pooler that hands server sessions on between transactions"
        " (PgBouncer in transaction mode); nothing was changed",
        "next: give the address of the server itself, or of a pooler in session mode",
    ]
