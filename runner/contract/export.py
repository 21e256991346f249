"""The contracts of a database, or of what the files make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runner.contract.document import Contract, contract_of
from runner.errors import UsageError
from runner.history import instances, ledger
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import patient
from runner.postgres.scratch import scratch
from runner.postgres.session import session
from runner.progress import Progress


def installed(target: Target, *, pace: Pace = DEFAULT, progress: Progress | None = None) -> dict[str, Contract]:
    """Return the contracts of what is installed of `target`.

    Of a system that is there several times it is that in the schema of its own name. Raises UsageError when there is
    none in it, for what is not installed, and for a role that may not see all of it.
    """
    with session(target.database) as s, patient(s, pace, progress or Progress()):
        places: dict[str, list[str]] = {}
        for one in instances.installed(target, ledger.read(s.fetch)):
            places.setdefault(str(one.system), []).append(one.schema)
        found = {}
        for system, schemas in places.items():
            if len(schemas) > 1 and system not in schemas:
                raise UsageError(
                    f"{system} is installed in {' and '.join(schemas)}", hint="say with --schema which one is meant"
                )
            found[system] = contract_of(s.conn, system, system if system in schemas else schemas[0])
            if found[system]["prepared_statements"] is None:
                raise UsageError(f"{s.user} may not call prepare_statements() of {system}", hint="connect as its owner")
        return found


def of_files(
    systems: Sequence[str] = (), *, sql_root: str | Path | None = None, progress: Progress | None = None
) -> dict[str, Contract]:
    """Return the contracts of what the files make, applied to a scratch database; starts the embedded server."""
    with scratch() as conn:
        target = Target(conn, systems)
        apply(target, sql_root=sql_root, progress=progress)
        return installed(target)
