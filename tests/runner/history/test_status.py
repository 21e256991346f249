"""How an instance stands to the files."""

from __future__ import annotations

import shutil

import pytest

from runner.errors import (
    DriftError,
)
from runner.history.instances import Target
from runner.history.status import status
from runner.migrate.apply import apply
from runner.postgres import quick
from tests.runner.trees import TREES, CopyTree


def test_edited_deleted_and_overtaken_files_are_reported_and_stop_apply(url: str, tree: CopyTree) -> None:
    root = tree("good")
    apply(Target(url), sql_root=root)
    (root / "functions/demo/0002_b.sql").rename(root / "functions/demo/0002_c.sql")
    (root / "functions/demo/0002_b.rollback.sql").rename(root / "functions/demo/0002_c.rollback.sql")
    edited = root / "migrations/demo/0001_a.sql"
    edited.write_text(edited.read_text() + "-- Edited.\n")
    (one,) = status(Target(url), sql_root=root)
    assert (one.state.edited, one.state.missing, one.state.pending) == (["0001_a"], ["0002_b"], ["0002_c"])
    with pytest.raises(DriftError) as caught:
        apply(Target(url), sql_root=root)
    assert caught.value.exit_code == 3 and "0001_a was edited" in caught.value.detail[0]


def test_status_is_the_same_with_and_without_psycopg(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(Target(url), sql_root=TREES / "two_systems")
    quickly = status(Target(url), sql_root=TREES / "two_systems")
    monkeypatch.setattr(quick, "ask", lambda *_: None)
    assert status(Target(url), sql_root=TREES / "two_systems") == quickly


def test_files_may_go_once_applied(url: str, tree: CopyTree) -> None:
    root = tree("good")
    apply(Target(url), sql_root=root)
    shutil.rmtree(root / "functions")
    (one,) = status(Target(url), sql_root=root)
    assert one.state.missing == ["0002_b"]
