"""Waiting for a lock and for another runner."""

from __future__ import annotations

import threading

import psycopg
import pytest

from runner.errors import (
    LockTimeoutError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.postgres import lock
from runner.postgres.pace import Pace
from tests.runner.notes import Notes
from tests.runner.state import locked
from tests.runner.trees import TREES


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
