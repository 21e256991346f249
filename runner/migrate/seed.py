"""Demo data: `seed/<system>/demo.sql`, which reads the setting `companion.scale` and does nothing the second time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner.errors import UsageError
from runner.files.tree import Tree, open_tree
from runner.history import ledger
from runner.history.instances import Instance, Target, to_apply
from runner.history.path import search_path
from runner.history.tables import rows_inserted
from runner.migrate.apply import ready
from runner.migrate.send import file_errors, send
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.session import Session, fetch_one
from runner.postgres.settings import BEGIN
from runner.progress import Progress


@dataclass(frozen=True)
class Seeded:
    """Demo data of one instance: rows inserted (0: it was there already) and how long it took."""

    system: str
    schema: str
    rows: int
    duration_ms: int


def seed(
    target: Target,
    *,
    sql_root: str | Path | Tree | None = None,
    scale: int = 1,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Seeded]:
    """Load the demo data of the target's systems (default: every installed one that has some), each in a transaction.

    `scale` multiplies the amount. Raises UsageError for a system without demo data or not installed.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    if scale < 1:
        raise UsageError("--scale must be at least 1")
    with ready(target.database, pace, progress) as (s, attempts):
        ledgers = ledger.read(s.fetch)
        installed = {Instance(one.system, name) for name, one in ledgers.items() if one.system}
        found = []
        for instance in to_apply(target, tree, ledgers):
            wanted = instance.system in target.systems
            if wanted and instance not in installed:
                raise UsageError(f"{instance} is not installed", hint=f"run `companion apply {instance.system}` first")
            if wanted and not tree.demo(instance.system):
                raise UsageError(f"{instance.system} has no demo data")
            if (wanted or not target.systems) and instance in installed and tree.demo(instance.system):
                found.append(instance)
        progress.begin(len(found))
        done = []
        for instance in found:
            progress.start(str(instance), "demo data")
            work = partial(_seed, s, tree, instance, scale, pace.lock_timeout)
            one = attempts.run(f"demo data of {instance}", pace.lock_timeout, work)
            progress.done(str(instance), "demo data", one.duration_ms, "loaded" if one.rows else "found")
            done.append(one)
        return done


def _seed(s: Session, tree: Tree, instance: Instance, scale: int, lock_timeout: float) -> Seeded:
    demo = tree.demo(instance.system)
    assert demo is not None
    text = demo.read_text(encoding="utf-8")
    path = search_path(s, instance, tree.chain(instance.system).requires)
    begin = BEGIN + s.settings(path, lock_timeout) + f"SET LOCAL companion.scale = '{scale}';\n"
    started = time.monotonic()
    send(s, begin, text, name=f"{instance.system} demo data", path=demo)
    (inserted,) = fetch_one(s.conn, "SELECT " + rows_inserted(instance.schema))
    with file_errors(name=f"{instance.system} demo data", path=demo, text=text):
        s.conn.execute("COMMIT")
    return Seeded(instance.system, instance.schema, sum(inserted.values()), round((time.monotonic() - started) * 1000))
