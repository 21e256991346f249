"""Reading the ledgers of a database: which instances there are, and what each has applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runner.files.tree import Chain, File

LEDGER = "_companion_ledger"
TABLES = ("_yoyo_migration", "_yoyo_log", "_yoyo_version", LEDGER)

# Looking at a table of somebody else's may run code of theirs with our rights: a view's, a policy's. Who is owner,
# or is above policies, runs none of a plain table.
HARMLESS = """c.relkind = 'r' AND (
    pg_has_role(c.relowner, 'USAGE')
    OR (SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user)
    OR NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)
)"""

# Both queries answer with one JSON text, so that psycopg is not needed to read it.
_SCHEMAS_SQL = f"""
SELECT coalesce(json_agg(n.nspname ORDER BY n.nspname), '[]')::text
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = '_companion_ledger' AND {HARMLESS}
"""
_ENTRIES_SQL = """
SELECT json_build_array(coalesce(json_agg(json_build_array(
    id, system, position, sha256, rollback_sha256,
    to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    duration_ms, applied_by, rows_inserted, {texts}
) ORDER BY position) FILTER (WHERE duration_ms IS NOT NULL), '[]'),
coalesce(json_agg(id ORDER BY position) FILTER (WHERE begun IS NOT NULL), '[]'))::text
FROM {ledger}
"""


@dataclass(frozen=True)
class Entry:
    """One row of a ledger. `file` holds the recorded texts when they were asked for, else empty ones."""

    id: str
    system: str
    position: int
    sha256: str
    rollback_sha256: str
    applied_at: datetime
    duration_ms: int
    applied_by: str
    rows_inserted: dict[str, int]
    file: File


@dataclass(frozen=True)
class Ledger:
    """What one schema has applied, in order."""

    schema: str
    entries: tuple[Entry, ...]
    begun: tuple[str, ...] = ()
    """Ids of files outside transactions that were begun, or their rollbacks, and not brought to an end."""

    @property
    def system(self) -> str | None:
        """The system the schema holds; None for an empty ledger."""
        return self.entries[0].system if self.entries else None


@dataclass(frozen=True)
class State:
    """How a ledger stands to the files on disk; every list holds ids in order."""

    pending: list[str]
    edited: list[str]
    missing: list[str]
    out_of_order: list[str]

    @property
    def drifted(self) -> bool:
        """Whether applied files were edited, deleted or overtaken."""
        return bool(self.edited or self.missing or self.out_of_order)


def compare(chain: Chain | None, ledger: Ledger | None) -> State:
    """Compare the files of a system (None: no such system on disk) with a ledger (None: not installed)."""
    applied = {entry.id: entry for entry in ledger.entries} if ledger else {}
    files = {file.id: file for file in chain.files} if chain else {}
    pending = [file for id, file in files.items() if id not in applied]
    edited = [
        id
        for id, entry in applied.items()
        if id in files and (files[id].sha256, files[id].rollback_sha256) != (entry.sha256, entry.rollback_sha256)
    ]
    last = max((entry.position for entry in applied.values()), default=0)
    return State(
        pending=[file.id for file in pending],
        edited=edited,
        missing=[id for id in applied if id not in files],
        out_of_order=[file.id for file in pending if file.number < last],
    )


def read(fetch: Callable[[str], str], *, texts: bool = False) -> dict[str, Ledger]:
    """Return every ledger of the database, by schema; with `texts` including the recorded SQL.

    `fetch` runs a query and returns its one text value.
    """
    return {schema: _read_one(fetch, schema, texts) for schema in json.loads(fetch(_SCHEMAS_SQL))}


def _read_one(fetch: Callable[[str], str], schema: str, texts: bool) -> Ledger:
    quoted = schema.replace('"', '""')
    recorded = "apply_text, rollback_text" if texts else "'', ''"
    rows, begun = json.loads(fetch(_ENTRIES_SQL.format(texts=recorded, ledger=f'"{quoted}".{LEDGER}')))
    return Ledger(schema, tuple(_entry(row) for row in rows), tuple(begun))


def _entry(row: list[Any]) -> Entry:
    values = [*row[:5], datetime.fromisoformat(row[5]), *row[6:9], File(row[0], row[9], row[10])]
    return Entry(*values)
