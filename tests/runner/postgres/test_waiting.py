"""Waiting for a lock and for another runner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from runner.contract.check import check
from runner.contract.export import installed
from runner.contract.verify import verify
from runner.errors import (
    DatabaseError,
    LockTimeoutError,
)
from runner.history.instances import Target
from runner.jobs import runs
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from runner.migrate.rehearse import rehearse
from runner.migrate.rollback import rollback
from runner.migrate.seed import seed
from runner.postgres import lock
from runner.postgres.pace import Pace
from runner.progress import Progress
from tests.runner.command import run
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


def test_another_runner_is_waited_for_no_longer_than_is_said(url: str, conn: psycopg.Connection) -> None:
    conn.execute("SET application_name = 'first runner'")
    conn.execute("SELECT pg_advisory_lock(%s)", [lock.KEY])
    for work in (apply, rehearse, adopt, seed):
        with pytest.raises(LockTimeoutError, match=r"still at work after 0.3 s: process \d+ \(first runner"):
            work(Target(url), sql_root=TREES / "good", pace=Pace(wait=0.3))
    with pytest.raises(LockTimeoutError, match="first runner"):
        rollback(Target(url, ["demo"]), pace=Pace(wait=0.3))
    code, _, err = run("apply", "--wait", "0.2")
    assert code == 1 and "--wait says how long" in err
    conn.execute("SELECT pg_advisory_unlock(%s)", [lock.KEY])
    assert len(apply(Target(url), sql_root=TREES / "good", pace=Pace(wait=0))) == 2


# What only reads, and how it is called.
READERS: dict[str, Callable[[str, Progress], object]] = {
    "verify": lambda url, progress: verify(Target(url), pace=Pace(0.4), progress=progress),
    "contract export": lambda url, progress: installed(Target(url), pace=Pace(0.4), progress=progress),
    "jobs run": lambda url, progress: runs.run(
        Target(url), "expire-inactive-sessions", pace=Pace(0.4), progress=progress
    ),
    "contract check": lambda url, _: check(Target(url, ["othello"]), pace=Pace(0.4)),
}


@pytest.fixture
def schema() -> str:
    return "othello"


@pytest.mark.parametrize("work", READERS.values(), ids=READERS)
def test_who_reads_gives_up_in_the_end_and_says_for_whom_it_waited(
    own_database: str, work: Callable[[str, Progress], object]
) -> None:
    notes = Notes()
    with locked(own_database, "LOCK TABLE othello.users, othello._companion_ledger, othello.jobs"):
        with pytest.raises((LockTimeoutError, DatabaseError)) as caught:
            work(own_database, notes)
        said = caught.value
        assert "lock timeout" in said.message
        if isinstance(said, LockTimeoutError):
            assert "nightly report" in said.message
            assert "nightly report" in notes.notes[0]
        else:
            assert "somebody else has it locked" in str(said.hint)
