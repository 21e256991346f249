"""What a command is about: which instances, each a system in a schema, of which database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.errors import LedgerError, UsageError
from runner.files.tree import PLATFORM, Tree
from runner.history.ledger import Ledger

if TYPE_CHECKING:
    from runner.postgres.session import Database


@dataclass(frozen=True)
class Target:
    """What a command is told that it is about.

    `database` is a connection string or an idle psycopg connection. No `systems` are all of them; `schema` is the one
    place that is meant, where a system lives in several or is to live in another than that of its name.
    """

    database: Database
    systems: Sequence[str] = ()
    schema: str | None = None


@dataclass(frozen=True)
class Instance:
    """One system in one schema."""

    system: str
    schema: str

    def __str__(self) -> str:
        return self.system if self.system == self.schema else f"{self.system} in {self.schema}"


def to_apply(target: Target, tree: Tree, ledgers: Mapping[str, Ledger]) -> list[Instance]:
    """Return the instances to apply, platform first.

    A named system (default: each one on disk) is meant wherever it is installed, or in the schema of its own name when
    it is not installed yet; a schema picks one place instead. Raises UsageError and LedgerError.
    """
    for system in target.systems:
        tree.check_system(system)
    if target.schema is not None:
        check_schema(target.systems, target.schema)
        chosen = [Instance(target.systems[0], target.schema)]
    else:
        chosen = []
        for system in target.systems or tree.systems:
            found = [name for name, ledger in ledgers.items() if ledger.system == system]
            chosen += [Instance(system, name) for name in found or [system]]
    if PLATFORM in tree.systems:
        chosen = [Instance(PLATFORM, PLATFORM), *(one for one in chosen if one.system != PLATFORM)]
    for one in chosen:
        check_holder(ledgers, one)
    return list(dict.fromkeys(chosen))


def installed(target: Target, ledgers: Mapping[str, Ledger]) -> list[Ledger]:
    """Return the ledgers of those instances that are installed, platform first.

    Raises UsageError when one that was named is not installed.
    """
    systems, schema = target.systems, target.schema
    found = [one for one in ledgers.values() if one.system]
    for system in systems:
        if system not in {one.system for one in found}:
            raise UsageError(f"{system} is not installed in this database", hint="see `companion status`")
    if schema is not None and schema not in {one.schema for one in found}:
        raise UsageError(f"nothing of Companion is installed in schema {schema}", hint="see `companion status`")
    chosen = [one for one in found if (not systems or one.system in systems) and schema in (None, one.schema)]
    return sorted(chosen, key=lambda one: (one.system != PLATFORM, str(one.system), one.schema))


def check_schema(systems: Sequence[str], schema: str) -> None:
    """Raise UsageError unless `schema` is given for exactly one system and is a place one may use."""
    if len(systems) != 1:
        raise UsageError("--schema needs exactly one system", hint="companion apply hugo --schema hugo_acme")
    if systems[0] == PLATFORM and schema != PLATFORM:
        raise UsageError("platform is always in schema platform")
    if schema.startswith("pg_") or schema in ("", "information_schema") or len(schema.encode()) > 63:
        raise UsageError(f"{schema!r} cannot be the schema of an instance")
    if schema == PLATFORM and systems[0] != PLATFORM:
        raise UsageError("schema platform is for platform itself")


def check_holder(ledgers: Mapping[str, Ledger], instance: Instance) -> None:
    """Raise LedgerError when the instance's schema holds another system."""
    ledger = ledgers.get(instance.schema)
    if ledger and ledger.system not in (None, instance.system):
        raise LedgerError(
            f"schema {instance.schema} holds {ledger.system}; one schema holds one system",
            hint=f"choose another schema: companion apply {instance.system} --schema NAME",
        )
