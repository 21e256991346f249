"""Where every instance stands. Needs neither yoyo nor, if it can help it, psycopg: it has to be quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import ledger, quick
from runner.instances import Instance, targets
from runner.ledger import Entry, State
from runner.tree import PLATFORM, open_tree

if TYPE_CHECKING:
    from runner.database import Database


@dataclass(frozen=True)
class InstanceStatus:
    """One instance: what it has applied and how that stands to the files on disk."""

    instance: Instance
    applied: tuple[Entry, ...]
    state: State

    @property
    def clean(self) -> bool:
        """Whether nothing is pending and nothing has drifted."""
        return not (self.state.pending or self.state.drifted)

    def as_dict(self) -> dict[str, Any]:
        """Return the status as `companion status --json` prints it."""
        return {
            "system": self.instance.system,
            "schema": self.instance.schema,
            "applied": [
                {
                    "id": entry.id,
                    "applied_at": entry.applied_at.isoformat(),
                    "duration_ms": entry.duration_ms,
                    "applied_by": entry.applied_by,
                }
                for entry in self.applied
            ],
            "pending": self.state.pending,
            "edited": self.state.edited,
            "missing": self.state.missing,
            "out_of_order": self.state.out_of_order,
        }


def status(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    sql_root: str | Path | None = None,
) -> list[InstanceStatus]:
    """Return every instance in the database and every system on disk that is not installed, platform first.

    `systems` and `schema` narrow the list.
    """
    tree = open_tree(sql_root)
    ledgers = quick.ask(database, ledger.read) if isinstance(database, str) else None
    if ledgers is None:
        from runner.database import session

        with session(database) as s:
            ledgers = ledger.read(s.fetch)
    installed = {one.system for one in ledgers.values()}
    for system in systems:
        if system not in installed:
            tree.check_system(system)
    instances = [Instance(one.system, name) for name, one in ledgers.items() if one.system]
    instances += [Instance(system, system) for system in tree.systems if system not in installed]
    chains = {system: tree.chain(system) for system in tree.systems}
    return [
        InstanceStatus(
            instance,
            found.entries if (found := ledgers.get(instance.schema)) and found.system == instance.system else (),
            ledger.compare(chains.get(instance.system), found if found and found.system == instance.system else None),
        )
        for instance in sorted(instances, key=lambda one: (one.system != PLATFORM, one.system, one.schema))
        if (not systems or instance.system in systems) and schema in (None, instance.schema)
    ]


def up_to_date(
    database: str, systems: Sequence[str] = (), *, schema: str | None = None, sql_root: str | Path | None = None
) -> bool:
    """Say, sooner than `apply` can, that it would find nothing to do; False also when that cannot be said."""
    tree = open_tree(sql_root)
    ledgers = quick.ask(database, ledger.read)
    if ledgers is None:
        return False
    instances = targets(tree, ledgers, systems, schema)
    if any(instance.schema not in ledgers for instance in instances):
        return False
    states = (ledger.compare(tree.chain(one.system), ledgers[one.schema]) for one in instances)
    return not any(state.pending or state.drifted for state in states)
