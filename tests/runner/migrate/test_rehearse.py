"""Rehearsing, and printing what would be sent."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import (
    RehearsalError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply, dry_run
from runner.migrate.rehearse import rehearse
from tests.runner.notes import Notes
from tests.runner.state import ids, schemas
from tests.runner.trees import TREES


def test_a_dry_run_tells_sql_that_really_applies(url: str, conn: psycopg.Connection) -> None:
    notes = Notes()
    before = schemas(conn)
    dry_run(Target(url), sql_root=TREES / "good", progress=notes)
    assert schemas(conn) == before
    conn.execute("".join(notes.sql).encode())
    conn.execute("RESET ALL")
    assert ids(conn) == ["0001_a", "0002_b"]
    assert apply(Target(url), sql_root=TREES / "good") == []


def test_a_rehearsal_changes_nothing(url: str, conn: psycopg.Connection) -> None:
    before = schemas(conn)
    notes = Notes()
    assert len(rehearse(Target(url), sql_root=TREES / "index", progress=notes)) == 2
    assert schemas(conn) == before
    assert any("without CONCURRENTLY" in note for note in notes.notes)


def test_a_backfill_in_batches_is_rehearsed_in_one(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "backfill")
    conn.execute("INSERT INTO demo.a VALUES (1), (2)")
    notes = Notes()
    assert [one.id for one in rehearse(Target(url), sql_root=TREES / "backfill", progress=notes)] == ["0002_b"]
    assert "0002_b: rehearsed without COMMIT" in notes.notes
    assert conn.execute("SELECT note FROM demo.a").fetchall() == [(None,), (None,)]
    apply(Target(url), sql_root=TREES / "backfill")
    assert conn.execute("SELECT note FROM demo.a").fetchall() == [("COMMIT;",), ("COMMIT;",)]


def test_a_file_that_uses_a_new_enum_value_cannot_be_rehearsed(url: str) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "enum")
    with pytest.raises(RehearsalError, match="0003_c cannot be rehearsed"):
        rehearse(Target(url), sql_root=TREES / "enum")
    assert len(apply(Target(url), sql_root=TREES / "enum")) == 2
