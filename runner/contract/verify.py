"""Comparing what is in a database with what its recorded files make.

The files are applied, as they were recorded, to a scratch database of the embedded server; then both catalogs are
compared. Nothing is changed in the database itself, and no right but to look is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from runner.catalog.describe import (
    Attributes,
    Catalog,
    Object,
    describe,
    describe_jobs,
    describe_prepared,
    normaliser,
    own,
)
from runner.catalog.differences import differences
from runner.files.tree import PLATFORM, Chain, Tree
from runner.history import ledger
from runner.history.instances import Instance, Target, installed
from runner.history.ledger import Ledger
from runner.history.path import search_path
from runner.history.tables import History
from runner.migrate.apply import apply
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import patient
from runner.postgres.scratch import scratch
from runner.postgres.session import Session, fetch_one, identifier, literal, session
from runner.progress import Progress

_EXTENSIONS_SQL = """
SELECT e.extname, n.nspname FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = ANY(%s)
"""
_PREPARES = "function prepare_statements()"
_ATOMIC = re.compile(r"BEGIN ATOMIC|RETURN ")
_OWNER_SQL = "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = %s::regclass"


@dataclass(frozen=True)
class Verified:
    """One instance, and every difference between it and what its recorded files make."""

    instance: Instance
    differences: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return it as `companion verify --json` prints it."""
        return {
            "system": self.instance.system,
            "schema": self.instance.schema,
            "differences": self.differences,
        }


class _Recorded(Tree):
    """The files as the ledgers of a database recorded them, in the place of those on disk."""

    def __init__(self, ledgers: Mapping[str, Ledger]) -> None:
        self.root = Path()
        self._chains = {
            one.system: Chain(one.system, tuple(entry.file for entry in one.entries))
            for one in ledgers.values()
            if one.system
        }

    @property
    def systems(self) -> list[str]:
        return sorted(self._chains, key=lambda name: (name != PLATFORM, name))


def verify(
    target: Target,
    *,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Verified]:
    """Return what differs in each installed instance of `target`, platform first.

    Starts the embedded server. Raises LedgerError for a history that others may have written, UsageError for an
    instance that is not there.
    """
    progress = progress or Progress()
    with session(target.database) as s, patient(s, pace, progress):
        ledgers = ledger.read(s.fetch, texts=True)
        chosen = installed(target, ledgers)
        progress.begin(len(chosen))
        return [_verify(s, ledgers, one, progress) for one in chosen]


def _verify(s: Session, ledgers: Mapping[str, Ledger], one: Ledger, progress: Progress) -> Verified:
    assert one.system is not None
    instance = Instance(one.system, one.schema)
    progress.start(str(instance), "verify")
    needed = {name: found for name, found in ledgers.items() if name in (PLATFORM, one.schema)}
    for found in needed.values():
        # Its text runs with our rights in the scratch database.
        assert found.system is not None
        History(s, found.system, found.schema).check_trust(found.entries)
    tree = _Recorded(needed)
    path = search_path(s, instance, tree.chain(one.system).requires)
    extensions = [extension for name in tree.systems for extension in tree.chain(name).requires]
    with scratch(dict(s.conn.execute(_EXTENSIONS_SQL.encode(), [extensions]).fetchall())) as conn:
        apply(Target(conn, [one.system], one.schema), sql_root=tree)
        expected, actual = _catalog(conn, one.schema, path), _catalog(s.conn, one.schema, path)
        _write_alike(conn, one.schema, path, expected, actual)
        expected |= describe_prepared(conn, one.schema, path) or {}
        actual |= _prepared(conn, one.schema, path, actual.get(_PREPARES))
    if not History(s, one.system, one.schema).made_schema():
        # Others live here too: what is not the files' is theirs, and so is the schema.
        actual = {name: found for name, found in actual.items() if name in expected}
        for name in ("schema", "default privileges"):
            expected.pop(name, None)
            actual.pop(name, None)
    return Verified(instance, differences(*_comparable(expected, actual)))


def _catalog(conn: psycopg.Connection[Any], schema: str, path: Sequence[str]) -> Catalog:
    """Return the catalog of an instance, with its jobs."""
    found = describe(conn, schema, path) | describe_jobs(conn, schema)
    (owner,) = fetch_one(conn, _OWNER_SQL, [identifier(schema, ledger.LEDGER)])
    for one in found.values():
        if own(one).get("owner") == owner:
            del own(one)["owner"]
    return found


def _write_alike(
    scratch: psycopg.Connection[Any], schema: str, path: Sequence[str], expected: Catalog, actual: Catalog
) -> None:
    """Let the scratch server write out the queries of `actual` that look otherwise: servers of other versions do.

    What it cannot parse really is another thing, and stays as it is.
    """
    for name in expected.keys() & actual.keys():
        want, have = (own(one[name]) for one in (expected, actual))
        kind = name.split(" ")[0]
        if kind in ("view", "materialized") and want.get("definition") != have.get("definition"):
            made = f"CREATE VIEW {identifier(schema, '_companion_verify')} AS {have['definition']}"
            ask = f"SELECT pg_get_viewdef({literal(identifier(schema, '_companion_verify'))}::regclass)"
            key = "definition"
        elif kind == "function" and want.get("body") != have.get("body") and _ATOMIC.match(have["body"]):
            made = f"{_head(schema, name, have)} LANGUAGE sql {have['body']}"
            ask = "SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE xmin = pg_current_xact_id()::xid"
            key = "body"
        else:
            continue
        with suppress(psycopg.Error), scratch.transaction(force_rollback=True):
            scratch.execute(f"SET LOCAL search_path = {', '.join(identifier(one) for one in path)}".encode())
            scratch.execute(made.replace("<schema>", identifier(schema)).encode())
            have[key] = normaliser(schema)(fetch_one(scratch, ask)[0])


def _prepared(scratch: psycopg.Connection[Any], schema: str, path: Sequence[str], function: Object | None) -> Catalog:
    """Return what the live `prepare_statements()` prepares, found by calling a copy of it in the scratch database.

    In the database itself nothing of it runs. Nor does it here when it is not the owner's of the recorded files; that
    it differs then is told by the function.
    """
    said = own(function) if function else {}
    if not said or "owner" in said or said["language"] not in ("plpgsql", "sql"):
        return {}
    settings = "".join(
        f" SET {key} TO {value}" for key, _, value in (one.partition("=") for one in said.get("settings", []))
    )
    made = f"{_head(schema, _PREPARES, said)} LANGUAGE {said['language']}{settings} AS {literal(said['body'])}"
    with suppress(psycopg.Error), scratch.transaction(force_rollback=True):
        scratch.execute(made.replace("<schema>", identifier(schema)).encode())
        return describe_prepared(scratch, schema, path) or {}
    return {}


def _head(schema: str, name: str, said: Attributes) -> str:
    """Return the beginning of the statement that makes a function anew."""
    bare = name.removeprefix("function ").split("(")[0]
    return f"CREATE OR REPLACE FUNCTION {identifier(schema, bare)}({said['arguments']}) RETURNS {said['result']}"


def _comparable(expected: Catalog, actual: Catalog) -> tuple[Catalog, Catalog]:
    """Return both without what is as it has to be: months of partitions, whose time it is that tells them apart.

    Each is compared with one that the files make; which months there are depends on the day.
    """
    models: dict[str, list[Object]] = {}
    for name, one in expected.items():
        if parent := _parent(one):
            models.setdefault(parent, []).append(_anonymous(name, one))
    for name, one in list(actual.items()):
        if (parent := _parent(one)) and _anonymous(name, one) in models.get(parent, []):
            del actual[name]
            expected.pop(name, None)
    for name, one in list(expected.items()):
        if _parent(one) and name not in actual:
            del expected[name]
    return expected, actual


def _parent(one: Object) -> str | None:
    found = own(one).get("partition_of")
    return None if found is None else str(found)


def _anonymous(name: str, one: Object) -> Object:
    """Return a partition without its name and its bounds."""
    own = name.removeprefix("table ")
    pattern = re.compile(rf"\b{re.escape(own)}(?=\b|_)")

    def plain(value: Any) -> Any:
        return pattern.sub("<partition>", value) if isinstance(value, str) else value

    return {
        part: {
            pattern.sub("<partition>", item): {key: plain(value) for key, value in said.items() if key != "bound"}
            for item, said in items.items()
        }
        for part, items in one.items()
    }
