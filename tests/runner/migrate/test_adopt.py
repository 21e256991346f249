"""Adopting what was there before."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import (
    DriftError,
)
from runner.history.instances import Target
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from tests.runner.state import ids
from tests.runner.trees import TREES, CopyTree


def test_what_exists_already_can_be_adopted(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY)")
    conn.execute("CREATE TABLE demo.b (id integer PRIMARY KEY); CREATE TABLE demo.more ()")
    assert [one.what for one in adopt(Target(url), sql_root=TREES / "good")] == ["adopted", "adopted"]
    assert apply(Target(url), sql_root=TREES / "good") == []


def test_a_chain_with_a_backfill_is_adopted_whatever_comments_and_grants_say(
    url: str, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY, note text)")
    conn.execute("COMMENT ON COLUMN demo.a.id IS 'A number.'; REVOKE INSERT ON demo.a FROM CURRENT_USER")
    assert [one.id for one in adopt(Target(url), sql_root=TREES / "backfill")] == ["0001_a", "0002_b"]
    assert conn.execute("SELECT obj_description('demo.a'::regclass)").fetchone() == (None,)


def test_platform_is_applied_where_another_system_is_adopted(
    url: str, conn: psycopg.Connection, tree: CopyTree
) -> None:
    root = tree("good")
    (root / "migrations/platform").mkdir()
    (root / "migrations/platform/0001_p.sql").write_text("CREATE TABLE p (id integer PRIMARY KEY);\n")
    (root / "migrations/platform/0001_p.rollback.sql").write_text("DROP TABLE p;\n")
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY)")
    done = adopt(Target(url, ["demo"]), to="0001", sql_root=root)
    assert [(one.id, one.what) for one in done] == [("0001_p", "applied"), ("0001_a", "adopted")]
    assert ids(conn, "platform") == ["0001_p"]


def test_what_differs_is_not_adopted(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id bigint PRIMARY KEY)")
    with pytest.raises(DriftError) as caught:
        adopt(Target(url), sql_root=TREES / "good")
    assert "table a: column id: type is bigint, the files make it integer" in caught.value.detail
    assert "table b: missing" in caught.value.detail
    assert ids(conn) == []
