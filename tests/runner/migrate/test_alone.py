"""Files that run outside a transaction: whatever cuts them off, nothing half done is taken for applied."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from runner.errors import LockTimeoutError, SqlError
from runner.history.instances import Target
from runner.history.status import status
from runner.history.tables import History
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.postgres.pace import Pace
from tests.runner.command import run
from tests.runner.notes import Notes
from tests.runner.state import ids
from tests.runner.trees import TREES, CopyTree

SAYS = "-- depends: 0001_a\n-- transactional: false\n"
# One index, as people write it.
SPELLINGS = {
    "plain": "CREATE UNIQUE INDEX CONCURRENTLY a_once ON a ((id % 2));",
    "if not exists": "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_once ON a ((id % 2));",
    "schema-qualified": "CREATE UNIQUE INDEX CONCURRENTLY a_once ON demo.a ((id % 2));",
    "quoted": 'CREATE UNIQUE INDEX CONCURRENTLY "Only; once" ON "a" ((id % 2));',
    "below a block comment": "/* CREATE INDEX x ON y; */ create unique index concurrently a_once on only a ((id % 2))",
    "without a name": "CREATE UNIQUE INDEX CONCURRENTLY ON a ((id % 2));",
}
spelled = pytest.mark.parametrize("statement", SPELLINGS.values(), ids=SPELLINGS)
BUILT = "CREATE INDEX CONCURRENTLY a_id_idx ON a (id) WHERE id > 0;"


def indexes(conn: psycopg.Connection) -> dict[str, bool]:
    """Return the indexes of demo but for primary keys, and whether each is valid."""
    rows = conn.execute(
        "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid"
        " WHERE c.relnamespace = 'demo'::regnamespace AND NOT i.indisprimary"
        " AND c.relname !~ '^_' AND i.indrelid::regclass::text !~ '_companion|_yoyo'"
    )
    return dict(rows.fetchall())


@pytest.fixture
def write(url: str, tree: CopyTree) -> Callable[..., Path]:
    """Return a function that gives the second file of a chain a text, after the first is applied."""

    def write(text: str, rollback_text: str = "-- transactional: false\nDROP INDEX CONCURRENTLY a_id_idx;\n") -> Path:
        root = tree("good")
        (root / "functions/demo/0002_b.sql").write_text(f"{SAYS}{text}\n")
        (root / "functions/demo/0002_b.rollback.sql").write_text(rollback_text)
        apply(Target(url, ["demo"]), to="0001", sql_root=root)
        return root

    return write


class Cut(Exception):
    """Stands for the end of a runner between the statement and its history row."""


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that runs something, and lets it end before history is written."""

    def run(work: Callable[[], object]) -> None:
        def end(*_: object, **__: object) -> str:
            raise Cut

        with monkeypatch.context() as patch, pytest.raises(Cut):
            patch.setattr(History, "record_sql", end)
            patch.setattr(History, "forget_sql", end)
            work()

    return run


def test_an_index_is_built_outside_a_transaction(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "index")
    assert indexes(conn) == {"a_id_idx": True}
    assert conn.execute("SELECT count(*) FROM demo._companion_ledger WHERE begun IS NULL").fetchone() == (2,)


# A build that fails


@spelled
def test_what_a_failed_build_leaves_is_named_and_made_good(
    url: str, conn: psycopg.Connection, write: Callable[..., Path], statement: str
) -> None:
    root = write(statement)
    conn.execute("INSERT INTO demo.a VALUES (1), (3)")
    for _ in range(2):
        with pytest.raises(SqlError, match="could not create unique index") as caught:
            apply(Target(url), sql_root=root)
        ((name, valid),) = indexes(conn).items()
        assert not valid and ids(conn) == ["0001_a"]
        assert [line for line in caught.value.detail if name.split(";")[0] in line and "is INVALID" in line]
        assert "nothing of this file was applied" not in str(caught.value.hint)
    conn.execute("DELETE FROM demo.a WHERE id = 3")
    notes = Notes()
    apply(Target(url), sql_root=root, progress=notes)
    assert ids(conn) == ["0001_a", "0002_b"]
    assert indexes(conn) == {name: True}
    assert "dropping the INVALID index" in notes.notes[0]


@spelled
def test_a_build_whose_runner_ended_before_history_was_written_is_adopted(
    url: str, conn: psycopg.Connection, write: Callable[..., Path], cut_off: Callable[..., None], statement: str
) -> None:
    root = write(statement)
    cut_off(lambda: apply(Target(url), sql_root=root))
    before = indexes(conn)
    assert list(before.values()) == [True] and ids(conn) == ["0001_a"]
    (one,) = status(Target(url), sql_root=root)
    assert (one.begun, one.state.pending, one.clean) == (("0002_b",), ["0002_b"], False)
    assert len(apply(Target(url), sql_root=root)) == 1
    assert indexes(conn) == before and ids(conn) == ["0001_a", "0002_b"]


def test_a_rollback_whose_runner_ended_before_history_was_written_is_taken_for_done(
    url: str, conn: psycopg.Connection, write: Callable[..., Path], cut_off: Callable[..., None]
) -> None:
    root = write(BUILT)
    apply(Target(url), sql_root=root)
    cut_off(lambda: rollback(Target(url, ["demo"])))
    assert indexes(conn) == {} and ids(conn) == ["0001_a", "0002_b"]
    (one,) = status(Target(url), sql_root=root)
    assert (one.begun, one.state.pending, one.clean) == (("0002_b",), [], False)
    code, out, _ = run("status", tree=root)
    assert code == 3 and "demo: rollback of 0002_b was begun and cut off; run `companion rollback` again" in out
    notes = Notes()
    assert len(rollback(Target(url, ["demo"]), progress=notes)) == 1
    assert ids(conn) == ["0001_a"]
    assert "only the history was missing" in notes.notes[0]
    apply(Target(url), sql_root=root)
    assert indexes(conn) == {"a_id_idx": True}


def test_an_edited_file_may_be_tried_after_the_first_has_failed(
    url: str, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    root = write(SPELLINGS["plain"])
    conn.execute("INSERT INTO demo.a VALUES (1), (3)")
    with pytest.raises(SqlError):
        apply(Target(url), sql_root=root)
    (root / "functions/demo/0002_b.sql").write_text(f"{SAYS}{BUILT}\n")
    apply(Target(url), sql_root=root)
    assert indexes(conn) == {"a_id_idx": True}
    assert conn.execute("SELECT apply_text ~ 'a_id_idx' FROM demo._companion_ledger WHERE position = 2").fetchone() == (
        True,
    )


# What was there before


def invalidate(conn: psycopg.Connection, name: str) -> None:
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [f"demo.{name}"])


@pytest.mark.parametrize("if_not_exists", ["", "IF NOT EXISTS "])
def test_an_invalid_index_that_was_there_before_is_named_and_not_touched(
    url: str, conn: psycopg.Connection, write: Callable[..., Path], if_not_exists: str
) -> None:
    root = write(BUILT.replace("CONCURRENTLY ", f"CONCURRENTLY {if_not_exists}"))
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id)")
    invalidate(conn, "a_id_idx")
    with pytest.raises(SqlError) as caught:
        apply(Target(url), sql_root=root)
    said = f"{caught.value.detail} {caught.value.server_detail}"
    assert "index demo.a_id_idx is INVALID, and was before" in said
    assert indexes(conn) == {"a_id_idx": False} and ids(conn) == ["0001_a"]
    conn.execute("DROP INDEX demo.a_id_idx")
    apply(Target(url), sql_root=root)
    assert indexes(conn) == {"a_id_idx": True}


def test_a_valid_index_of_that_name_is_somebody_elses_unless_the_file_says_otherwise(
    url: str, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.other (id int); CREATE INDEX a_id_idx ON demo.other (id)")
    root = write(BUILT)
    for _ in range(2):
        with pytest.raises(SqlError, match="already exists"):
            apply(Target(url), sql_root=root)
        assert ids(conn) == ["0001_a"]
    (root / "functions/demo/0002_b.sql").write_text(
        SAYS + BUILT.replace("CONCURRENTLY ", "CONCURRENTLY IF NOT EXISTS ")
    )
    assert len(apply(Target(url), sql_root=root)) == 1


def test_what_is_not_the_files_is_left_alone(url: str, conn: psycopg.Connection, write: Callable[..., Path]) -> None:
    """Even when it comes while the file is half done: parents of partitions, REINDEX's, another session's build."""
    root = write(SPELLINGS["plain"])
    conn.execute("INSERT INTO demo.a VALUES (1), (3)")
    with pytest.raises(SqlError):
        apply(Target(url), sql_root=root)
    conn.execute("DELETE FROM demo.a")
    conn.execute(
        "CREATE TABLE demo.p (id int) PARTITION BY LIST (id); CREATE TABLE demo.p1 PARTITION OF demo.p DEFAULT"
    )
    conn.execute("CREATE INDEX p_idx ON ONLY demo.p (id); CREATE INDEX p_idx_ccnew ON demo.p1 (id)")
    invalidate(conn, "p_idx_ccnew")
    conn.execute("CREATE TABLE demo.busy (id int)")
    impatient = "-c statement_timeout=30s"
    with psycopg.connect(url) as writer, psycopg.connect(url, autocommit=True, options=impatient) as builder:
        writer.execute("INSERT INTO demo.busy VALUES (1); INSERT INTO demo.a VALUES (5)")
        build = threading.Thread(
            target=lambda: builder.execute("CREATE INDEX CONCURRENTLY busy_idx ON demo.busy (id)"), daemon=True
        )
        build.start()
        while "busy_idx" not in indexes(conn):
            assert build.is_alive()
        # Dropping waits for the writer as well; what matters is what is dropped.
        notes = Notes()
        with pytest.raises(LockTimeoutError):
            apply(Target(url), sql_root=root, progress=notes, pace=Pace(build_timeout=0.3, pauses=()))
        assert [note for note in notes.notes if "dropping" in note] == [
            "0002_b: dropping the INVALID index demo.a_once that an earlier attempt left behind"
        ]
        writer.commit()
        build.join(30)
    assert indexes(conn).items() >= {"p_idx": False, "p_idx_ccnew": False, "busy_idx": True}.items()
    apply(Target(url), sql_root=root)
    assert indexes(conn)["a_once"]


def test_partitions_and_constraints_that_are_left_unfinished_are_named(
    url: str, conn: psycopg.Connection, write: Callable[..., Path]
) -> None:
    root = write(
        "DO $$ BEGIN ALTER TABLE a ADD CONSTRAINT a_few CHECK (id < 10) NOT VALID; COMMIT; ALTER TABLE a VALIDATE"
        " CONSTRAINT a_few; END $$;"
    )
    conn.execute("INSERT INTO demo.a VALUES (11)")
    with pytest.raises(SqlError, match="is violated by some row") as caught:
        apply(Target(url), sql_root=root)
    assert caught.value.detail == ["constraint a_few of demo.a, NOT VALID, is unfinished"]
    assert ids(conn) == ["0001_a"]
    conn.execute("ALTER TABLE demo.a DROP CONSTRAINT a_few")
    conn.execute(
        "CREATE TABLE demo.p (id int) PARTITION BY LIST (id); CREATE TABLE demo.p1 PARTITION OF demo.p DEFAULT"
    )
    conn.execute("CREATE TABLE demo.p2 PARTITION OF demo.p FOR VALUES IN (1)")
    conn.execute("DROP TABLE demo.p1")
    (root / "functions/demo/0002_b.sql").write_text(f"{SAYS}ALTER TABLE p DETACH PARTITION p2 CONCURRENTLY;\n")
    with psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM demo.p")
        with pytest.raises(LockTimeoutError):
            apply(Target(url), sql_root=root, pace=Pace(build_timeout=0.3, pauses=()))
    with pytest.raises(SqlError) as caught:
        apply(Target(url), sql_root=root)
    assert caught.value.detail == ["partition demo.p2, being detached from demo.p, is unfinished"]
    assert "FINALIZE" in str(caught.value.server_hint)
    assert ids(conn) == ["0001_a"]
