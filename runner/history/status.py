"""Where every instance stands. Needs neither yoyo nor, if it can help it, psycopg: it has to be quick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.files.tree import PLATFORM, open_tree
from runner.history import ledger
from runner.history.instances import Instance, Target, to_apply
from runner.history.ledger import Entry, State
from runner.postgres import quick


@dataclass(frozen=True)
class InstanceStatus:
    """One instance: what it has applied and how that stands to the files on disk."""

    instance: Instance
    applied: tuple[Entry, ...]
    state: State
    begun: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is pending and nothing has drifted."""
        return not (self.state.pending or self.state.drifted or self.begun)

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
            "begun": list(self.begun),
        }


def status(target: Target, *, sql_root: str | Path | None = None) -> list[InstanceStatus]:
    """Return every instance that is meant, of those in the database and of systems on disk, platform first."""
    tree = open_tree(sql_root)
    ledgers = quick.ask(target.database, ledger.read) if isinstance(target.database, str) else None
    if ledgers is None:
        from runner.postgres.session import session

        with session(target.database) as s:
            ledgers = ledger.read(s.fetch)
    installed = {one.system for one in ledgers.values()}
    for system in target.systems:
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
            found.begun if found else (),
        )
        for instance in sorted(instances, key=lambda one: (one.system != PLATFORM, one.system, one.schema))
        if (not target.systems or instance.system in target.systems) and target.schema in (None, instance.schema)
    ]


def up_to_date(target: Target, *, sql_root: str | Path | None = None) -> bool:
    """Say, sooner than `apply` can, that it would find nothing to do; False also when that cannot be said."""
    tree = open_tree(sql_root)
    ledgers = quick.ask(target.database, ledger.read) if isinstance(target.database, str) else None
    if ledgers is None:
        return False
    instances = to_apply(target, tree, ledgers)
    if any(instance.schema not in ledgers for instance in instances):
        return False
    if any(ledgers[one.schema].begun for one in instances):
        return False
    states = (ledger.compare(tree.chain(one.system), ledgers[one.schema]) for one in instances)
    return not any(state.pending or state.drifted for state in states)
