"""Applying: what is done, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import psycopg
import pytest

from runner.catalog.describe import describe
from runner.errors import (
    LedgerError,
    SqlError,
    UsageError,
)
from runner.history.instances import Target
from runner.history.status import status
from runner.migrate.apply import apply
from tests.runner.state import ids, schemas
from tests.runner.trees import TREES, CopyTree


def test_everything_is_applied_once(url: str, conn: psycopg.Connection) -> None:
    assert [one.id for one in apply(Target(url), sql_root=TREES / "good")] == ["0001_a", "0002_b"]
    assert apply(Target(url), sql_root=TREES / "good") == []
    assert ids(conn) == ["0001_a", "0002_b"]


def test_a_connection_may_be_given_instead_of_an_address(url: str) -> None:
    with psycopg.connect(url) as own:
        assert len(apply(Target(own), sql_root=TREES / "good")) == 2
        assert not own.autocommit and not own.closed


def test_platform_comes_first_and_chains_with_equal_ids_do_not_mix(url: str, conn: psycopg.Connection) -> None:
    done = apply(Target(url), sql_root=TREES / "two_systems")
    assert [one.system for one in done] == ["platform", "demo", "demo", "other"]
    assert ids(conn, "other") == ["0001_a"] and ids(conn, "platform") == ["0001_shared"]


def test_one_system_installs_beside_itself_in_other_schemas(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), sql_root=TREES / "good")
    apply(Target(url, ["demo"], 'we"ird Name'), sql_root=TREES / "good")
    apply(Target(url, ["demo"], "public"), sql_root=TREES / "good")
    assert describe(conn, "demo") == describe(conn, 'we"ird Name')
    assert {one.instance.schema for one in status(Target(url), sql_root=TREES / "good")} == {
        "demo",
        'we"ird Name',
        "public",
    }


def test_one_schema_holds_one_system(url: str) -> None:
    apply(Target(url, ["demo"]), sql_root=TREES / "two_systems")
    with pytest.raises(LedgerError, match="schema demo holds demo"):
        apply(Target(url, ["other"], "demo"), sql_root=TREES / "two_systems")


def test_to_stops_after_a_file(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "good")
    assert ids(conn) == ["0001_a"]
    with pytest.raises(UsageError, match="demo has no file 0009"):
        apply(Target(url, ["demo"]), to="0009", sql_root=TREES / "good")


def test_a_first_file_that_fails_leaves_no_schema_behind(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("good")
    (root / "migrations/demo/0001_a.sql").write_text("CREATE TABLE a (id integer);\nSELECT 1 / 0;\n")
    before = schemas(conn)
    with pytest.raises(SqlError, match="division by zero"):
        apply(Target(url), sql_root=root)
    assert schemas(conn) == before
