"""Demo data: `seed/<system>/demo.sql`, which reads the setting `companion.scale` and does nothing the second time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner import ledger
from runner.apply import LOCK_TIMEOUT
from runner.database import Database, Session, fetch_one, file_errors, search_path, send, session, settings
from runner.errors import UsageError
from runner.history import rows_inserted
from runner.instances import Instance, targets
from runner.lock import runner_lock
from runner.progress import Progress
from runner.retry import Attempts
from runner.tree import Tree, open_tree


@dataclass(frozen=True)
class Seeded:
    """Demo data of one instance: rows inserted (0: it was there already) and how long it took."""

    system: str
    schema: str
    rows: int
    duration_ms: int


def seed(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    sql_root: str | Path | None = None,
    scale: int = 1,
    lock_timeout: float = LOCK_TIMEOUT,
    progress: Progress | None = None,
) -> list[Seeded]:
    """Load the demo data of `systems` (default: every installed one that has some), each in one transaction.

    `scale` multiplies the amount. Raises UsageError for a system without demo data or not installed.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    if scale < 1:
        raise UsageError("--scale must be at least 1")
    with session(database) as s, runner_lock(s, progress.note), Attempts(s, progress) as attempts:
        ledgers = ledger.read(s.fetch)
        installed = {Instance(one.system, name) for name, one in ledgers.items() if one.system}
        found = []
        for instance in targets(tree, ledgers, systems, schema):
            wanted = instance.system in systems
            if wanted and instance not in installed:
                raise UsageError(f"{instance} is not installed", hint=f"run `companion apply {instance.system}` first")
            if wanted and not tree.demo(instance.system):
                raise UsageError(f"{instance.system} has no demo data")
            if (wanted or not systems) and instance in installed and tree.demo(instance.system):
                found.append(instance)
        progress.begin(len(found))
        done = []
        for instance in found:
            progress.start(str(instance), "demo data")
            work = partial(_seed, s, tree, instance, scale, lock_timeout)
            one = attempts.run(f"demo data of {instance}", lock_timeout, work)
            progress.done(str(instance), "demo data", one.duration_ms, "loaded" if one.rows else "found")
            done.append(one)
        return done


def _seed(s: Session, tree: Tree, instance: Instance, scale: int, lock_timeout: float) -> Seeded:
    demo = tree.demo(instance.system)
    assert demo is not None
    text = demo.read_text(encoding="utf-8")
    path = search_path(s, instance.system, instance.schema, tree.chain(instance.system).requires)
    begin = "BEGIN;\n" + settings(path, lock_timeout) + f"SET LOCAL companion.scale = '{scale}';\n"
    started = time.monotonic()
    send(s, begin, text, name=f"{instance.system} demo data", path=demo)
    (inserted,) = fetch_one(s.conn, "SELECT " + rows_inserted(instance.schema))
    with file_errors(name=f"{instance.system} demo data", path=demo, text=text):
        s.conn.execute("COMMIT")
    return Seeded(instance.system, instance.schema, sum(inserted.values()), round((time.monotonic() - started) * 1000))
