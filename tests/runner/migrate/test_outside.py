"""Files that say nothing of what they need, or the wrong thing: refused before the first file of a run."""

from __future__ import annotations

import psycopg
import pytest

from runner.errors import SqlError, TreeError
from runner.history.instances import Target
from runner.migrate.adopt import adopt
from runner.migrate.apply import apply
from runner.migrate.rehearse import rehearse
from runner.migrate.rollback import rollback
from tests.runner.state import ids
from tests.runner.trees import CopyTree

SAYS = "-- transactional: false\n"
OUTSIDE = "begin the file with `-- transactional: false`"
TRANSACTION = f"transaction; {OUTSIDE}"
ONE = "holds 2 statements; outside a transaction a file holds one: split it"

# The second file of a chain and its rollback, which of them is at fault, in which line, and what is said.
WRONG = [
    ("CREATE INDEX CONCURRENTLY i ON a (id);", "DROP INDEX i;", "0002_b.sql", 2, OUTSIDE),
    ("CREATE TABLE b ();\nVACUUM a;", "DROP TABLE b;", "0002_b.sql", 3, f"VACUUM cannot run inside a {TRANSACTION}"),
    ("CREATE INDEX i ON a (id);", "DROP INDEX CONCURRENTLY i;", "0002_b.rollback.sql", 1, OUTSIDE),
    (f"{SAYS}CREATE INDEX CONCURRENTLY i ON a (id);\nSELECT 1;", "DROP INDEX i;", "0002_b.sql", 4, ONE),
    ("CREATE INDEX i ON a (id);", f"{SAYS}DROP INDEX CONCURRENTLY i;\nSELECT 1;", "0002_b.rollback.sql", 3, ONE),
]  # fmt: skip


def write(tree: CopyTree, text: str, rollback_text: str) -> str:
    """Make a tree whose second file has this text."""
    root = tree("good")
    (root / "functions/demo/0002_b.sql").write_text(f"-- depends: 0001_a\n{text}\n")
    (root / "functions/demo/0002_b.rollback.sql").write_text(rollback_text)
    return str(root)


@pytest.mark.parametrize("work", [apply, adopt, rehearse])
@pytest.mark.parametrize(("text", "rollback_text", "file", "line", "said"), WRONG)
def test_it_is_refused_before_the_first_file(
    url: str, conn: psycopg.Connection, tree: CopyTree, work: object, text: str, rollback_text: str, file: str,
    line: int, said: str,
) -> None:  # fmt: skip
    root = write(tree, text, rollback_text)
    with pytest.raises(TreeError) as caught:
        work(Target(url), sql_root=root)  # type: ignore[operator]
    (fault,) = caught.value.faults
    assert (fault.path.name, fault.line) == (file, line)
    assert said in fault.message
    assert ids(conn) == []


def test_what_words_cannot_tell_the_server_refuses_with_the_same_way_out(url: str, tree: CopyTree) -> None:
    """An index of a partitioned table, say."""
    root = write(
        tree, "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE INDEX i ON p (a); REINDEX INDEX i;", "DROP TABLE p;"
    )
    with pytest.raises(SqlError) as caught:
        apply(Target(url), sql_root=root)
    assert caught.value.sqlstate == "25001"
    assert OUTSIDE in str(caught.value.hint)


def test_a_recorded_rollback_that_can_never_run_is_refused_before_anything_is_undone(
    url: str, conn: psycopg.Connection, tree: CopyTree
) -> None:
    """It was recorded by a Companion that did not look."""
    root = write(tree, "CREATE INDEX i ON a (id);", "DROP INDEX i;")
    apply(Target(url), sql_root=root)
    text = "DROP INDEX CONCURRENTLY i;"
    conn.execute(
        "UPDATE demo._companion_ledger SET rollback_text = %s, rollback_sha256 = encode(sha256(%s::bytea), 'hex')"
        " WHERE id = '0002_b'",
        [text, text],
    )
    with pytest.raises(TreeError) as caught:
        rollback(Target(url), everything=True)
    assert str(caught.value.faults[0].path) == "0002_b.rollback.sql"
    assert ids(conn) == ["0001_a", "0002_b"]
