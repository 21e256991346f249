"""Waiting for a lock and for another runner."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from runner.errors import (
    LockTimeoutError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.postgres import lock
from runner.postgres.pace import Pace
from tests.runner.notes import Notes
from tests.runner.state import locked
from tests.runner.trees import TREES
from tests.servers import cluster


def test_a_lock_is_waited_for_and_the_blocker_named(url: str) -> None:
    apply(Target(url, ["demo"]), to="0002", sql_root=TREES / "seeded")
    notes = Notes()
    with locked(url, "LOCK TABLE demo.a"), pytest.raises(LockTimeoutError, match="nightly report"):
        apply(Target(url), sql_root=TREES / "seeded", progress=notes, pace=Pace(lock_timeout=0.5, pauses=(0.1,)))
    assert any("nightly report" in note for note in notes.notes)
    assert any("trying again" in note for note in notes.notes)
    assert [one.id for one in apply(Target(url), sql_root=TREES / "seeded")] == ["0003_column"]


def test_a_lock_given_up_in_time_is_no_failure(url: str) -> None:
    apply(Target(url, ["demo"]), to="0002", sql_root=TREES / "seeded")
    with locked(url, "LOCK TABLE demo.a") as other:
        timer = threading.Timer(0.6, other.rollback)
        timer.start()
        assert len(apply(Target(url), sql_root=TREES / "seeded", pace=Pace(lock_timeout=0.3))) == 1
        timer.join()


def test_a_second_runner_waits_and_says_for_whom(url: str, conn: psycopg.Connection) -> None:
    notes = Notes()
    conn.execute("SET application_name = 'first runner'")
    conn.execute("SELECT pg_advisory_lock(%s)", [lock.KEY])
    timer = threading.Timer(0.5, lambda: conn.execute("SELECT pg_advisory_unlock(%s)", [lock.KEY]))
    timer.start()
    apply(Target(url), sql_root=TREES / "good", progress=notes)
    timer.join()
    assert len(notes.notes) == 1 and "first runner" in notes.notes[0]


@pytest.fixture(scope="module")
def preparing(bare: NoopExecutor) -> Iterator[str]:
    """The address of a server that lets transactions be prepared."""
    with cluster(bare, settings={"max_prepared_transactions": "5"}) as address:
        yield address


@pytest.mark.parametrize("outside", [False, True], ids=["in a transaction", "outside"])
def test_a_forgotten_prepared_transaction_is_named(preparing: str, outside: bool) -> None:
    tree = TREES / ("index" if outside else "seeded")
    pace = Pace(lock_timeout=0.5, build_timeout=0.5, pauses=(0.1,))
    with psycopg.connect(preparing, autocommit=True) as conn:
        apply(Target(preparing, ["demo"]), to="0001" if outside else "0002", sql_root=tree)
        conn.execute("BEGIN; LOCK TABLE demo.a; PREPARE TRANSACTION 'orphan''s 4711'")
        try:
            with pytest.raises(LockTimeoutError, match="blocked by prepared transaction 'orphan''s 4711'") as caught:
                apply(Target(preparing), sql_root=tree, pace=pace)
        finally:
            conn.execute("ROLLBACK PREPARED 'orphan''s 4711'")
        assert "ROLLBACK PREPARED 'orphan''s 4711'" in str(caught.value.hint)
        assert len(apply(Target(preparing), sql_root=tree)) == 1
        rollback(Target(preparing), everything=True, discard_data=True)
