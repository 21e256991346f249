"""Applying what is pending: per file one message, one transaction, and its history inside it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from runner.errors import DriftError, StoppedError, UsageError, stopped
from runner.files.order import in_order
from runner.files.tree import Chain, File, Tree, open_tree
from runner.history import ledger
from runner.history.instances import Instance, Target, to_apply
from runner.history.path import check_path, search_path
from runner.history.tables import History
from runner.migrate import alone, preflight
from runner.migrate.send import send, wrap
from runner.postgres.lock import runner_lock
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.retry import Attempts, abandon
from runner.postgres.session import Database, Session, session
from runner.postgres.settings import BEGIN
from runner.progress import Progress

# A commit need not wait for the disk: history travels with its file, and `flush` waits once, at the end.
_ASYNC = "SET LOCAL synchronous_commit = off;\n"


@dataclass(frozen=True)
class Done:
    """One file that a run dealt with; `what` is `applied`, `adopted`, `rehearsed` or `rolled back`."""

    system: str
    schema: str
    id: str
    duration_ms: int
    what: str = "applied"


@dataclass
class Plan:
    """What is pending of one instance, and what its files need."""

    instance: Instance
    history: History
    pending: list[File]
    chain: Chain
    path: list[str]
    create_sql: str
    """Statements that make schema and history before the first file; empty when both are there."""

    def begin_sql(self, lock_timeout: float) -> str:
        """Return the statements before a file in its transaction."""
        return BEGIN + self.history.session.settings(self.path, lock_timeout) + _ASYNC + self.create_sql


def apply(
    target: Target,
    *,
    sql_root: str | Path | Tree | None = None,
    to: str | None = None,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Done]:
    """Apply what is pending of the target's systems (default: all on disk), platform first, and return it in order.

    A schema puts the one named system into a schema of that name; `to` stops after that file of the one named system.
    Raises TreeError, DriftError, SqlError, LockTimeoutError and the other errors of `runner.errors`; files before the
    failing one stay.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    with ready(target.database, pace, progress) as (s, attempts):
        plans = make_plans(s, tree, target, to)
        preflight.check(s, plans, progress)
        done: list[Done] = []
        running: list[tuple[History, File]] = []
        progress.begin(sum(len(plan.pending) for plan in plans))
        try:
            for plan in plans:
                for file in plan.pending:
                    running = [(plan.history, file)]
                    timeout = pace.timeout(file.transactional)
                    progress.start(str(plan.instance), file.id)
                    work = partial(_apply_one, s, plan, file, timeout, progress)
                    milliseconds = attempts.run(f"{plan.instance} {file.id}", timeout, work)
                    done.append(Done(plan.instance.system, plan.instance.schema, file.id, milliseconds))
                    progress.done(str(plan.instance), file.id, milliseconds, "applied")
                    running = []
        except KeyboardInterrupt as stop:
            raise what_was_stopped(s, done, running, stop) from None
        finally:
            if done:
                flush(s)
        return done


def dry_run(
    target: Target,
    *,
    sql_root: str | Path | None = None,
    to: str | None = None,
    pace: Pace = DEFAULT,
    progress: Progress,
) -> list[Done]:
    """Tell `progress.emit` the SQL that `apply` would send, in order, and return the files concerned."""
    tree = open_tree(sql_root)
    done = []
    with session(target.database) as s:
        for plan in make_plans(s, tree, target, to):
            for file in plan.pending:
                progress.emit(f"\n-- {plan.instance}: {file.id}\n")
                begin = plan.begin_sql(pace.lock_timeout)
                if file.transactional:
                    progress.emit(begin + wrap(s, file.text) + plan.history.record_sql(file))
                else:
                    if plan.create_sql:
                        progress.emit(begin + "COMMIT;\n")
                        plan.create_sql = ""
                    progress.emit(s.settings(plan.path, pace.build_timeout, local=False) + file.text)
                    progress.emit(plan.begin_sql(pace.lock_timeout) + plan.history.record_sql(file, 0))
                progress.emit("COMMIT;\n")
                plan.create_sql = ""
                done.append(Done(plan.instance.system, plan.instance.schema, file.id, 0, "pending"))
    return done


def make_plans(s: Session, tree: Tree, target: Target, to: str | None) -> list[Plan]:
    """Return what there is to do for each instance; raise DriftError when what is applied is not what is on disk."""
    if to is not None and len(target.systems) != 1:
        raise UsageError("--to needs exactly one system", hint=f"companion apply hugo --to {to}")
    ledgers = ledger.read(s.fetch)
    plans = []
    for instance in to_apply(target, tree, ledgers):
        chain = tree.chain(instance.system)
        refuse_drift(instance, chain, ledgers)
        if to is not None and instance.system == target.systems[0]:
            chain = chain.upto(to)
        plans.append(_plan(s, instance, chain, ledgers.get(instance.schema)))
    return plans


def refuse_drift(instance: Instance, chain: Chain, ledgers: Mapping[str, ledger.Ledger]) -> None:
    """Raise DriftError when applied files were edited, deleted or overtaken."""
    state = ledger.compare(chain, ledgers.get(instance.schema))
    if state.drifted:
        raise DriftError(
            f"{instance}: the files on disk are not those that were applied; nothing was changed",
            detail=[
                *(f"{id} was edited after it was applied" for id in state.edited),
                *(f"{id} was applied and is gone from disk" for id in state.missing),
                *(f"{id} is new, but later files are applied already" for id in state.out_of_order),
            ],
            hint="restore the files (a change is a new file), or roll back to before them: "
            f"`companion rollback {instance.system} --to ID` uses the recorded text",
        )


def _plan(s: Session, instance: Instance, chain: Chain, found: ledger.Ledger | None) -> Plan:
    history = History(s, instance.system, instance.schema)
    path = search_path(s, instance, chain.requires)
    if found is None:
        exists = s.conn.execute("SELECT FROM pg_namespace WHERE nspname = %s", [instance.schema]).fetchone()
        create_sql = history.create_sql(with_schema=exists is None)
        return Plan(instance, history, in_order(chain.files), chain, path, create_sql)
    history.check_trust()
    applied = {entry.id for entry in found.entries}
    pending = in_order(file for file in chain.files if file.id not in applied)
    return Plan(instance, history, pending, chain, path, create_sql="")


def _apply_one(s: Session, plan: Plan, file: File, timeout: float, progress: Progress) -> int:
    """Apply one file and return its milliseconds."""
    started = time.monotonic()
    before = plan.begin_sql(timeout)
    if file is plan.pending[0]:
        s.conn.execute(before.encode())
        check_path(s, plan.path)
        before = ""
    if file.transactional:
        after = plan.history.record_sql(file) + "COMMIT"
        send(s, before, file.text, after, name=file.id, path=file.path)
        plan.create_sql = ""
        return _milliseconds(started)
    if not before:
        s.conn.execute("COMMIT")
        plan.create_sql = ""
    alone.run(s, progress, plan.history, file, path=file.path, search_path=plan.path, timeout=timeout)
    milliseconds = _milliseconds(started)
    s.conn.execute((plan.begin_sql(timeout) + plan.history.record_sql(file, milliseconds) + "COMMIT").encode())
    return milliseconds


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


def flush(s: Session) -> None:
    """Make the server write every commit so far to disk, unless the connection is gone."""
    if s.conn.closed:
        return
    try:
        # A commit waits for the disk only if its transaction wrote something: a message in the log is enough.
        s.conn.execute(f"RESET ALL; {BEGIN} SELECT pg_logical_emit_message(true, 'companion', 'flush'); COMMIT")
    except psycopg.Error:
        if not s.conn.closed:
            raise


def what_was_stopped(
    s: Session,
    done: Sequence[Done],
    running: Sequence[tuple[History, File]],
    stop: KeyboardInterrupt,
    *,
    undo: bool = False,
) -> StoppedError:
    """Return the error that says truly what a run that was interrupted has done, and what became of what was running.

    That is asked of the ledger: the server may have come to an end of it before it heard of the interruption.
    """
    what = "rolled back" if undo else "applied"
    detail = [f"{what}: {Instance(one.system, one.schema)} {one.id}" for one in done[-1:]]
    if len(done) > 1:
        detail = [f"{what}: {len(done)} files, the last of them {detail[0].partition(': ')[2]}"]
    # The server may hear of it so late that it ends what it is asked next.
    with suppress(psycopg.errors.QueryCanceled, psycopg.OperationalError):
        abandon(s)
        s.conn.execute("SELECT pg_sleep(0.1)")
    abandon(s)
    for history, file in running:
        name = f"{Instance(history.system, history.schema)} {file.id}"
        try:
            if history.is_applied(file) != undo:
                detail.append(f"{what} all the same: {name}, which was running")
            elif left := alone.left_behind(s, history, file):
                detail += [f"half done: {name}: {one}; the next attempt drops what is INVALID" for one in left]
            else:
                detail.append(f"not {what}: {name}, which was running; nothing of it is kept")
        except psycopg.Error:
            detail.append(f"not known: whether {name}, which was running, was {what}; `companion status` tells")
    if not detail:
        detail = ["nothing was changed"]
    return stopped("what was committed stays", stop, detail=detail, hint="run the command again to go on")


@contextmanager
def ready(database: Database, pace: Pace, progress: Progress) -> Iterator[tuple[Session, Attempts]]:
    """Open a session that holds the runner's lock; `progress` is told where it is, and the server's warnings."""

    def tell(diag: psycopg.errors.Diagnostic) -> None:
        severity, said = diag.severity_nonlocalized, diag.message_primary or ""
        if severity == "WARNING":
            more = {"detail": diag.message_detail, "hint": diag.message_hint}
            progress.note("; ".join([f"server: {said}", *(f"{label}: {text}" for label, text in more.items() if text)]))
        elif severity in ("NOTICE", "INFO"):
            progress.notice(f"{severity.lower()}: {said}")

    with session(database) as s:
        progress.about(s.about)
        s.settle()
        with runner_lock(s, progress.note, pace.wait), Attempts(s, pace, progress) as attempts:
            s.conn.add_notice_handler(tell)
            try:
                yield s, attempts
            finally:
                s.conn.remove_notice_handler(tell)
