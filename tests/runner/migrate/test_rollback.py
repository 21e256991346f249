"""Undoing: from recorded text, in one transaction, and never losing rows unasked."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from runner.catalog.describe import describe
from runner.errors import DataLossError, LedgerError, UsageError
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.runner.notes import Notes
from tests.runner.state import ids, schemas
from tests.runner.trees import TREES, CopyTree


def losses(caught: pytest.ExceptionInfo[DataLossError]) -> list[str]:
    return [str(loss) for loss in caught.value.losses]


def test_one_file_is_undone_by_default(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "good")
    assert [one.id for one in rollback(Target(url))] == ["0002_b"]
    assert ids(conn) == ["0001_a"]


def test_to_keeps_the_named_file_and_count_counts(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "seeded")
    rollback(Target(url), to="0002")
    assert ids(conn) == ["0001_a", "0002_rows"]
    rollback(Target(url), count=2)
    assert "demo" not in schemas(conn)


def test_to_undoes_everything_after_the_named_file(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "seeded")
    assert [one.id for one in rollback(Target(url), to="0001", discard_data=True)] == ["0003_column", "0002_rows"]
    assert ids(conn) == ["0001_a"]


def test_every_step_restores_the_catalog(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "seeded")
    before = describe(conn, "demo")
    apply(Target(url), sql_root=TREES / "seeded")
    rollback(Target(url), count=2)
    assert describe(conn, "demo") == before


def test_all_leaves_the_database_as_before_the_first_apply(url: str, conn: psycopg.Connection) -> None:
    before = schemas(conn)
    apply(Target(url), sql_root=TREES / "two_systems")
    assert [one.system for one in rollback(Target(url), everything=True)][-1] == "platform"
    assert schemas(conn) == before


def test_a_schema_that_was_there_before_stays(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"], "public"), sql_root=TREES / "good")
    rollback(Target(url), everything=True)
    assert describe(conn, "public").keys() == {"schema"}


def test_files_need_not_be_on_disk(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("good")
    apply(Target(url), sql_root=root)
    shutil.rmtree(root)
    assert [one.id for one in rollback(Target(url), everything=True)] == ["0002_b", "0001_a"]


def test_rows_are_not_lost_unasked(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "good")
    conn.execute("INSERT INTO demo.a VALUES (1), (2), (3)")
    with pytest.raises(DataLossError) as caught:
        rollback(Target(url), everything=True)
    assert losses(caught) == ["demo.a: 3 rows"]
    assert ids(conn) == ["0001_a", "0002_b"]
    assert len(rollback(Target(url), everything=True, discard_data=True)) == 2


def test_rows_that_the_chain_itself_inserted_are_no_loss(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "seeded")
    conn.execute("INSERT INTO demo.a VALUES (7)")
    with pytest.raises(DataLossError) as caught:
        rollback(Target(url), everything=True)
    assert losses(caught) == ["demo.a: 1 row"]
    conn.execute("DELETE FROM demo.a WHERE id = 7")
    assert len(rollback(Target(url), everything=True)) == 3


def test_values_of_a_dropped_column_are_a_loss(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "seeded")
    conn.execute("UPDATE demo.a SET note = 'x' WHERE id = 1")
    with pytest.raises(DataLossError) as caught:
        rollback(Target(url))
    assert losses(caught) == ["demo.a.note: 1 row with a value"]
    conn.execute("UPDATE demo.a SET note = NULL")
    assert len(rollback(Target(url))) == 1


@pytest.mark.parametrize("undo", ["TRUNCATE a", "DELETE FROM a", "DELETE FROM a WHERE id > 0"])
def test_rows_deleted_from_a_table_that_stays_are_a_loss(
    url: str, conn: psycopg.Connection, tree: CopyTree, undo: str
) -> None:
    root = tree("good")
    (root / "functions/demo/0002_b.rollback.sql").write_text(f"DROP TABLE b;\n{undo};\n")
    apply(Target(url), sql_root=root)
    conn.execute("INSERT INTO demo.a VALUES (1), (2)")
    with pytest.raises(DataLossError) as caught:
        rollback(Target(url))
    assert losses(caught) == ["demo.a: 2 rows"]


def test_rows_of_partitions_are_reported_under_their_table(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("good")
    (root / "functions/demo/0002_b.sql").write_text(
        "-- depends: 0001_a\nCREATE TABLE b (id integer) PARTITION BY LIST (id);\n"
        "CREATE TABLE b_1 PARTITION OF b FOR VALUES IN (1);\nCREATE TABLE b_2 PARTITION OF b DEFAULT;\n"
    )
    apply(Target(url), sql_root=root)
    conn.execute("INSERT INTO demo.b VALUES (1), (2), (3)")
    with pytest.raises(DataLossError) as caught:
        rollback(Target(url))
    assert losses(caught) == ["demo.b: 3 rows"]


def test_a_statement_outside_transactions_is_undone_and_tried_first(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "index")
    conn.execute("INSERT INTO demo.a VALUES (1)")
    with pytest.raises(DataLossError):
        rollback(Target(url), everything=True)
    assert ids(conn) == ["0001_a", "0002_b"]
    rollback(Target(url))
    assert conn.execute("SELECT to_regclass('demo.a_id_idx')").fetchone() == (None,)


def test_what_the_server_warns_of_is_told_once_and_only_when_it_is_done(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "backfill")
    conn.execute("INSERT INTO demo.a VALUES (1), (2)")
    apply(Target(url), sql_root=TREES / "backfill")
    notes = Notes()
    with pytest.raises(DataLossError):
        rollback(Target(url), everything=True, progress=notes)
    assert notes.notes == []
    rollback(Target(url), count=1, progress=notes)
    assert notes.notes == ["server: 2 rows say nothing any more"]


def test_platform_is_kept_while_it_is_needed(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "two_systems")
    with pytest.raises(LedgerError, match="still needed by what is installed in demo, other"):
        rollback(Target(url, ["platform"]))


def test_which_system_must_be_said_when_there_are_several(url: str) -> None:
    apply(Target(url), sql_root=TREES / "two_systems")
    with pytest.raises(UsageError, match="say which system"):
        rollback(Target(url))
    with pytest.raises(UsageError, match="not installed"):
        rollback(Target(url, ["nope"]))
