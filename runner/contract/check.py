"""Whether a database keeps a contract: for the CI of those who use the schemas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from runner.contract import document
from runner.contract.changes import Change, broken, changes
from runner.contract.document import Contract
from runner.errors import UsageError
from runner.files.tree import open_tree
from runner.history.instances import Target
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.session import connected

# Looked at in the catalog, which everybody may read; the ledger is the owner's alone.
_SCHEMAS_SQL = "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s)"


@dataclass(frozen=True)
class Checked:
    """One system's contract, where it was looked for, and each way in which the database does not keep it."""

    system: str
    schema: str
    broken: list[Change]

    def as_dict(self) -> dict[str, Any]:
        """Return it as `companion contract check --json` prints it."""
        return {"system": self.system, "schema": self.schema, "broken": [one.as_dict() for one in self.broken]}


def check(
    target: Target,
    *,
    contract: Path | None = None,
    audiences: Sequence[str] = (),
    sql_root: str | Path | None = None,
    pace: Pace = DEFAULT,
) -> list[Checked]:
    """Return how a database keeps the contracts in the file or folder `contract`.

    Without `contract` they are those that belong to the files, of each system whose schema is there. The target's
    systems narrow them, its schema says where the only one is, `audiences` (readers, writers, callers) who is
    concerned. Needs no right but to connect, and works through a pooler. Raises UsageError when there is nothing to
    check.
    """
    systems, schema = target.systems, target.schema
    known = document.read_all(contract or document.folder(open_tree(sql_root)))
    for system in systems:
        if system not in known:
            raise UsageError(f"there is no contract of {system}", hint=f"there are those of {', '.join(known)}")
    chosen = {system: one for system, one in known.items() if not systems or system in systems}
    if schema is not None and len(chosen) != 1:
        raise UsageError("--schema needs exactly one system", hint="companion contract check hugo --schema hugo_acme")
    with connected(target.database) as conn, conn.transaction(force_rollback=True):
        # For the length of a transaction: a pooler would hand it on.
        conn.execute(f"SET LOCAL lock_timeout = {round(pace.lock_timeout * 1000)}".encode())
        if contract is None and not systems:
            there = {name for (name,) in conn.execute(_SCHEMAS_SQL, [list(chosen)])}
            chosen = {system: one for system, one in chosen.items() if system in there}
        if not chosen:
            raise UsageError("no system is installed in a schema of its name", hint="name it, and give --schema")
        return [_check(conn, one, schema or system, audiences) for system, one in chosen.items()]


def _check(conn: psycopg.Connection[Any], contract: Contract, schema: str, audiences: Sequence[str]) -> Checked:
    found = document.contract_of(conn, contract["system"], schema)
    if found["prepared_statements"] is None:
        found["prepared_statements"] = contract["prepared_statements"]
    return Checked(contract["system"], schema, broken(changes(contract, found), audiences))
