"""Rehearsing: really running all pending files in one transaction, which is rolled back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from runner.errors import RehearsalError, SqlError
from runner.files.text import for_transaction
from runner.files.tree import Tree, open_tree
from runner.history.instances import Target
from runner.history.path import check_path
from runner.migrate import preflight
from runner.migrate.apply import Done, Plan, make_plans, ready
from runner.migrate.send import send
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import abandon
from runner.postgres.session import Session
from runner.postgres.settings import BEGIN
from runner.progress import Progress

# Going back to the savepoint restores the deferral that the next file may count on.
_CHECK_SQL = "SAVEPOINT checked; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO checked"


def rehearse(
    target: Target,
    *,
    sql_root: str | Path | Tree | None = None,
    to: str | None = None,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Done]:
    """Run all pending files in one transaction, roll it back, and return them.

    Deferred constraints are checked after each file. CONCURRENTLY is left out, and so is COMMIT in a DO block. Raises
    RehearsalError for a file that uses an enum value which another pending file adds: that works only in a later
    transaction.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    with ready(target.database, pace, progress) as (s, attempts):
        plans = make_plans(s, tree, target, to)
        preflight.check(s, plans, progress, rehearsed=True)
        total = sum(len(plan.pending) for plan in plans)
        progress.begin(total)
        if total:
            progress.note("a rehearsal holds every lock it takes until it ends")
        try:
            work = partial(_rehearse, s, plans, pace.lock_timeout, progress)
            return attempts.run("rehearsal", pace.lock_timeout, work)
        finally:
            abandon(s)


def _rehearse(s: Session, plans: Sequence[Plan], lock_timeout: float, progress: Progress) -> list[Done]:
    done: list[Done] = []
    s.conn.execute(BEGIN)
    for plan in plans:
        if not plan.pending:
            continue
        s.conn.execute((s.settings(plan.path, lock_timeout) + plan.create_sql).encode())
        check_path(s, plan.path)
        for file in plan.pending:
            progress.start(str(plan.instance), file.id)
            started = time.monotonic()
            text = file.text
            if not file.transactional:
                text, left_out = for_transaction(text)
                if left_out:
                    progress.note(f"{file.id}: rehearsed without {left_out}")
            try:
                send(s, s.settings(plan.path, lock_timeout), text, _CHECK_SQL, name=file.id, path=file.path)
            except SqlError as error:
                if error.sqlstate == "55P04":
                    raise RehearsalError(
                        f"{plan.instance} {file.id} cannot be rehearsed: {error.message}",
                        detail=[f"{len(done)} files before it were rehearsed without fault"],
                        hint="an enum value can be used only after the transaction that adds it; apply with "
                        "--to the file before this one, then rehearse the rest",
                    ) from error
                raise
            milliseconds = round((time.monotonic() - started) * 1000)
            done.append(Done(plan.instance.system, plan.instance.schema, file.id, milliseconds, "rehearsed"))
            progress.done(str(plan.instance), file.id, milliseconds, "rehearsed")
    s.conn.execute("ROLLBACK")
    return done
