"""Every file of every chain: up, down, up again; each system alone; everything away again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from runner.catalog.describe import describe
from runner.catalog.differences import differences
from runner.errors import DataLossError
from runner.files.tree import open_tree
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.migrate.seed import seed
from tests.databases import INSTANCES, REST_SQL

SYSTEMS = open_tree().systems


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_file_goes_up_down_and_up_again(empty_database: str, system: str) -> None:
    if system != "platform":
        apply(Target(empty_database, ["platform"]))
    tree = open_tree()
    with connected(empty_database) as conn:
        before = describe(conn, system)
        for file in tree.chain(system).files:
            apply(Target(conn, [system]), sql_root=tree, to=file.id)
            after = describe(conn, system)
            rollback(Target(conn, [system]), discard_data=True)
            assert differences(before, describe(conn, system)) == [], f"{file.id}.rollback does not undo its file"
            apply(Target(conn, [system]), sql_root=tree, to=file.id)
            assert differences(after, describe(conn, system)) == [], f"{file.id} is not the same the second time"
            before = after


@pytest.mark.parametrize("system", [system for system in SYSTEMS if system != "platform"])
def test_each_system_installs_alone_and_leaves_nothing(empty_database: str, system: str) -> None:
    with connected(empty_database) as conn:
        before = conn.execute(REST_SQL).fetchall()
        apply(Target(conn, [system]))
        assert [row[0] for row in conn.execute(REST_SQL) if row[0].startswith("schema ")] == sorted(
            f"schema {name}" for name in ("information_schema", "platform", "public", system)
        )
        rollback(Target(conn), everything=True, discard_data=True)
        assert conn.execute(REST_SQL).fetchall() == before


@pytest.mark.parametrize("system", [system for system in SYSTEMS if system != "platform"])
def test_instances_are_alike_whatever_their_schema_is_called(shared_database: str, system: str) -> None:
    with connected(shared_database) as conn:
        first, *others = (describe(conn, schema) for schema in INSTANCES[system])
    assert len(first) > 10
    for other in others:
        found = differences(first, other)
        # Schema public belongs to pg_database_owner, who is not the owner of what is in it, and is open to PUBLIC.
        assert [line for line in found if ": owner is postgres, " not in line and not line.startswith("schema")] == []


@pytest.mark.parametrize("system", [system for system in SYSTEMS if open_tree().demo(system)])
def test_everything_can_be_undone_with_data_in_it(empty_database: str, system: str) -> None:
    with connected(empty_database) as conn:
        before = conn.execute(REST_SQL).fetchall()
        apply(Target(conn, [system]))
        seed(Target(conn, [system]))
        with pytest.raises(DataLossError) as refused:
            rollback(Target(conn), everything=True)
        tables = conn.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition AND relname !~ '^_'",
            [system],
        ).fetchall()
        counts = {table: conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() for (table,) in tables}
        for loss in refused.value.losses:
            assert counts[loss.table] == (loss.rows,)
        assert len(refused.value.losses) >= 5
        rollback(Target(conn), everything=True, discard_data=True)
        assert conn.execute(REST_SQL).fetchall() == before


def test_two_chains_never_disturb_each_other(empty_database: str) -> None:
    apply(Target(empty_database, ["hugo"]))
    apply(Target(empty_database, ["hugo"], "hugo_acme"))
    with connected(empty_database) as conn:
        kept = describe(conn, "hugo")
        rollback(Target(conn, ["hugo"], "hugo_acme"), everything=True, discard_data=True)
        assert describe(conn, "hugo_acme") == {}
        assert differences(kept, describe(conn, "hugo")) == []
        apply(Target(conn, ["hugo"], "hugo_acme"))
        assert differences(kept, describe(conn, "hugo_acme")) == []
