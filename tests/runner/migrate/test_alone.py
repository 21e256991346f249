"""Files that run outside a transaction."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import (
    SqlError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.runner.notes import Notes
from tests.runner.trees import TREES


def test_an_index_is_built_outside_a_transaction(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "index")
    assert conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'demo.a_id_idx'::regclass").fetchone() == (
        True,
    )


def test_an_invalid_index_is_dropped_and_built_again(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 0")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'demo.a_id_idx'::regclass")
    notes = Notes()
    apply(Target(url), sql_root=TREES / "index", progress=notes)
    assert "dropping the invalid index" in notes.notes[0]
    assert conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'demo.a_id_idx'::regclass").fetchone() == (
        True,
    )


def test_a_valid_index_of_the_same_definition_is_taken_for_done(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 0")
    notes = Notes()
    assert len(apply(Target(url), sql_root=TREES / "index", progress=notes)) == 1
    assert "already there" in notes.notes[0]


def test_an_index_of_another_definition_is_an_error(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 1")
    with pytest.raises(SqlError, match="already exists"):
        apply(Target(url), sql_root=TREES / "index")
