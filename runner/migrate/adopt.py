"""Adopting: recording files as applied whose objects somebody made before Companion kept the history.

The files are built in a scratch schema inside a transaction that is rolled back, and everything they make must be in
the real schema with the same definition. What else is there is nobody's business here, nor are comments and privileges.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from runner.catalog.describe import Attributes, Catalog, describe
from runner.catalog.differences import differences
from runner.errors import DriftError
from runner.files.text import for_transaction
from runner.files.tree import PLATFORM, Tree, open_tree
from runner.history.instances import Instance, Target
from runner.history.path import check_path
from runner.migrate import preflight
from runner.migrate.apply import Done, Plan, apply, flush, make_plans, ready
from runner.migrate.send import send
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import abandon
from runner.postgres.session import Session, identifier
from runner.postgres.settings import BEGIN
from runner.progress import Progress

SCRATCH = "_companion_scratch"


def adopt(
    target: Target,
    *,
    sql_root: str | Path | Tree | None = None,
    to: str | None = None,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Done]:
    """Record the target's pending files (up to `to`) as applied, without running them, and return them.

    Platform, unless it is named itself, is applied: whoever made the objects by hand had none.
    Raises DriftError, listing every difference, unless the objects that the files make are there; nothing is recorded
    then.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    done: list[Done] = []
    if target.systems and PLATFORM in tree.systems and PLATFORM not in target.systems:
        done = apply(Target(target.database, [PLATFORM]), sql_root=tree, pace=pace, progress=progress)
    with ready(target.database, pace, progress) as (s, attempts):
        plans = [plan for plan in make_plans(s, tree, target, to) if plan.pending]
        preflight.check(s, plans, progress)
        progress.begin(len(done) + sum(len(plan.pending) for plan in plans))
        for plan in plans:
            attempts.run(str(plan.instance), pace.lock_timeout, partial(_check, s, plan, pace.lock_timeout))
        adopted = attempts.run("adopting", pace.lock_timeout, partial(_record, s, plans, pace.lock_timeout))
        for one in adopted:
            progress.done(str(Instance(one.system, one.schema)), one.id, 0, one.what)
        flush(s)
        return done + adopted


def _check(s: Session, plan: Plan, lock_timeout: float) -> None:
    """Build the plan's chain in the scratch schema and raise DriftError if the real one lacks anything of it."""
    name = plan.instance.schema
    path = [SCRATCH, *plan.path[1:]]
    s.conn.execute(BEGIN)
    try:
        actual = _structure(describe(s.conn, name, plan.path))
        s.conn.execute(f"CREATE SCHEMA {identifier(SCRATCH)}".encode())
        for file in plan.chain.files:
            text = file.text if file.transactional else for_transaction(file.text)[0]
            send(s, s.settings(path, lock_timeout), text, name=file.id, path=file.path)
        expected = _structure(describe(s.conn, SCRATCH, path))
    finally:
        abandon(s)
    if found := differences(expected, actual, extra=False):
        raise DriftError(
            f"{plan.instance}: what the files make is not what schema {name} holds; nothing was recorded",
            detail=found,
            hint="bring the objects in line, or use --to to adopt only the files that are really there",
        )


def _structure(catalog: Catalog) -> Catalog:
    """Return a catalog without what an installation may have otherwise: owners, comments and privileges."""

    def plain(said: Attributes) -> Attributes:
        return {key: value for key, value in said.items() if key not in ("owner", "comment")}

    return {
        name: {
            part: {item: plain(said) for item, said in items.items()}
            for part, items in found.items()
            if part not in ("grants", "column grants")
        }
        for name, found in catalog.items()
        if name != "schema"
    }


def _record(s: Session, plans: Sequence[Plan], lock_timeout: float) -> list[Done]:
    done = []
    s.conn.execute(BEGIN)
    for plan in plans:
        s.conn.execute((s.settings(plan.path, lock_timeout) + plan.create_sql).encode())
        check_path(s, plan.path)
        for file in plan.pending:
            s.conn.execute(plan.history.record_sql(file, 0, adopted=True).encode())
            done.append(Done(plan.instance.system, plan.instance.schema, file.id, 0, "adopted"))
    s.conn.execute("COMMIT")
    return done
