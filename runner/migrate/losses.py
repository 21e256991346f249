"""What rows a piece of SQL destroys, found by running it and looking.

The SQL runs inside a savepoint that is rolled back. A table counts when it is gone, was truncated or had rows deleted;
a column when it is gone and held values. Rows that the undone files themselves had inserted (the ledger knows how many)
are not a loss: undoing them is what the rollback is for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from runner.errors import Loss
from runner.history.ledger import TABLES
from runner.postgres.session import fetch_one, identifier

# Partitions are looked at one by one; `parent` lets their rows be reported under the table that people know.
_TABLES_SQL = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind, c.relfilenode::bigint, i.inhparent::bigint,
    pg_stat_get_xact_tuples_deleted(c.oid),
    ARRAY(
        SELECT a.attnum || ' ' || a.attname FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    )
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND c.relispartition
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p') AND c.relname <> ALL(%s)
"""


@dataclass(frozen=True)
class _Table:
    schema: str
    name: str
    kind: str
    filenode: int
    parent: int | None
    deleted: int
    columns: frozenset[str]

    @property
    def sql(self) -> str:
        return identifier(self.schema, self.name)

    def count(self, conn: psycopg.Connection[Any], what: str = "*") -> int:
        (rows,) = fetch_one(conn, f"SELECT count({what}) FROM {'' if self.kind == 'p' else 'ONLY '}{self.sql}")
        return int(rows)


def find_losses(
    conn: psycopg.Connection[Any],
    schemas: Sequence[str],
    run: Callable[[], None],
    inserted: Mapping[tuple[str, str], int],
) -> list[Loss]:
    """Return what `run` destroys in the tables of `schemas`; its effects are undone.

    Called inside a transaction. `inserted` says how many rows of a (schema, table) are no loss. The tables concerned
    stay locked until the transaction ends, so that nothing is added to them between this and the real run.
    """
    before = _tables(conn, schemas)
    conn.execute("SAVEPOINT trial")
    run()
    after = _tables(conn, schemas)
    remaining = {
        oid: after[oid].count(conn)
        for oid, table in before.items()
        if oid in after
        and table.kind == "r"
        and (after[oid].deleted > table.deleted or after[oid].filenode != table.filenode)
    }
    conn.execute("ROLLBACK TO trial")

    gone = {oid for oid in before if oid not in after}
    columns = {
        oid: sorted(column.split(" ", 1)[1] for column in table.columns - after[oid].columns)
        for oid, table in before.items()
        if oid in after and not table.parent
    }
    touched = sorted(gone | remaining.keys() | {oid for oid, names in columns.items() if names})
    if touched:
        names = ", ".join(before[oid].sql for oid in touched)
        conn.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE".encode())

    rows: Counter[str] = Counter()
    for oid in touched:
        table = before[oid]
        if table.kind == "r" and (oid in gone or oid in remaining):
            lost = table.count(conn) - remaining.get(oid, 0) - inserted.get((table.schema, table.name), 0)
            top = before[_top(oid, before, gone)]
            rows[f"{top.schema}.{top.name}"] += max(lost, 0)
    losses = [Loss(name, count) for name, count in sorted(rows.items()) if count]
    for oid, lost_columns in columns.items():
        for column in lost_columns:
            if values := before[oid].count(conn, identifier(column)):
                losses.append(Loss(f"{before[oid].schema}.{before[oid].name}", values, column))
    return losses


def _tables(conn: psycopg.Connection[Any], schemas: Sequence[str]) -> dict[int, _Table]:
    rows: list[Any] = conn.execute(_TABLES_SQL.encode(), [list(schemas), list(TABLES)]).fetchall()
    return {row[0]: _Table(*[*row[1:7], frozenset(row[7])]) for row in rows}


def _top(oid: int, tables: Mapping[int, _Table], gone: set[int]) -> int:
    """Return the topmost ancestor of the partition `oid` that is gone too, or `oid` itself."""
    parent = tables[oid].parent
    return _top(parent, tables, gone) if parent in gone and parent in tables else oid
