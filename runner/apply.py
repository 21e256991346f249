"""Applying what is pending: one transaction per file, its history row inside it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from runner import alone, ledger
from runner.database import (
    Database,
    Session,
    check_path,
    file_errors,
    search_path,
    send,
    session,
    settings,
    wrap,
)
from runner.errors import CompanionError, DriftError, RehearsalError, UsageError
from runner.history import History, SqlMigration, migrations
from runner.instances import Instance, targets
from runner.lock import runner_lock
from runner.progress import Progress
from runner.retry import Attempts, abandon
from runner.text import without_concurrently
from runner.tree import Chain, Tree, open_tree

LOCK_TIMEOUT = 5.0

# A commit need not wait for the disk: history travels with its file, and `_flush` waits once, at the end.
_ASYNC = "SET LOCAL synchronous_commit = off;\n"

_INSERTS = re.compile(r"\binsert\s+into\b", re.I)
_INSERTED_SQL = """
SELECT c.relname, pg_stat_get_xact_tuples_inserted(c.oid)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind = 'r' AND c.relname <> ALL(%s) AND pg_stat_get_xact_tuples_inserted(c.oid) > 0
"""


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
    pending: list[SqlMigration]
    chain: Chain
    path: list[str]
    create_sql: str
    """Statements that make schema and history before the first file; empty when both are there."""


def apply(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    sql_root: str | Path | None = None,
    to: str | None = None,
    lock_timeout: float = LOCK_TIMEOUT,
    build_timeout: float = alone.BUILD_TIMEOUT,
    progress: Progress | None = None,
) -> list[Done]:
    """Apply the pending files of `systems` (default: all on disk), platform first, and return them in order.

    `database` is a connection string or an idle psycopg connection; `schema` puts the one named system into a schema
    of that name; `to` stops after that file of the one named system; timeouts are in seconds. Raises TreeError,
    DriftError, SqlError, LockTimeoutError and the other errors of `runner.errors`; files before the failing one stay.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    with _ready(database, progress) as (s, attempts):
        plans = make_plans(s, tree, systems, schema, to)
        done: list[Done] = []
        progress.begin(sum(len(plan.pending) for plan in plans))
        try:
            for plan in plans:
                for migration in plan.pending:
                    timeout = lock_timeout if migration.file.transactional else build_timeout
                    progress.start(str(plan.instance), migration.id)
                    work = partial(_apply_one, s, plan, migration, timeout, progress)
                    milliseconds = attempts.run(f"{plan.instance} {migration.id}", timeout, work)
                    plan.create_sql = ""
                    done.append(Done(plan.instance.system, plan.instance.schema, migration.id, milliseconds))
                    progress.done(str(plan.instance), migration.id, milliseconds, "applied")
        finally:
            if done:
                flush(s)
        return done


def dry_run(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    sql_root: str | Path | None = None,
    to: str | None = None,
    lock_timeout: float = LOCK_TIMEOUT,
    build_timeout: float = alone.BUILD_TIMEOUT,
    progress: Progress,
) -> list[Done]:
    """Tell `progress.emit` the SQL that `apply` would send, in order, and return the files concerned."""
    tree = open_tree(sql_root)
    done = []
    with session(database) as s:
        for plan in make_plans(s, tree, systems, schema, to):
            for migration in plan.pending:
                file = migration.file
                progress.emit(f"\n-- {plan.instance}: {file.id}\n")
                if file.transactional:
                    progress.emit("BEGIN;\n" + settings(plan.path, lock_timeout) + _ASYNC)
                    progress.emit(plan.create_sql + wrap(file.text))
                else:
                    if plan.create_sql:
                        progress.emit("BEGIN;\n" + plan.create_sql + "COMMIT;\n")
                    progress.emit(settings(plan.path, build_timeout, local=False) + file.text)
                    progress.emit("BEGIN;\n" + settings(plan.path, lock_timeout))
                progress.emit(plan.history.record_sql(migration, 0) + "COMMIT;\n")
                plan.create_sql = ""
                done.append(Done(plan.instance.system, plan.instance.schema, file.id, 0, "pending"))
    return done


def rehearse(
    database: Database,
    systems: Sequence[str] = (),
    *,
    schema: str | None = None,
    sql_root: str | Path | None = None,
    to: str | None = None,
    lock_timeout: float = LOCK_TIMEOUT,
    progress: Progress | None = None,
) -> list[Done]:
    """Run all pending files in one transaction, roll it back, and return them.

    Deferred constraints are checked after each file. CONCURRENTLY is left out. Raises RehearsalError for a file that
    uses an enum value which another pending file adds: that works only in a later transaction.
    """
    progress = progress or Progress()
    tree = open_tree(sql_root)
    with _ready(database, progress) as (s, attempts):
        plans = make_plans(s, tree, systems, schema, to)
        total = sum(len(plan.pending) for plan in plans)
        progress.begin(total)
        if total:
            progress.note("a rehearsal holds every lock it takes until it ends")
        try:
            work = partial(_rehearse, s, plans, lock_timeout, progress)
            return attempts.run("rehearsal", lock_timeout, work)
        finally:
            abandon(s)


def make_plans(s: Session, tree: Tree, systems: Sequence[str], schema: str | None, to: str | None) -> list[Plan]:
    """Return what there is to do for each instance; raise DriftError when what is applied is not what is on disk."""
    if to is not None and len(systems) != 1:
        raise UsageError("--to needs exactly one system", hint=f"companion apply hugo --to {to}")
    ledgers = ledger.read(s.fetch)
    plans = []
    for instance in targets(tree, ledgers, systems, schema):
        chain = tree.chain(instance.system)
        refuse_drift(instance, chain, ledgers)
        if to is not None and instance.system == systems[0]:
            chain = chain.upto(to)
        plans.append(_plan(s, instance, chain, known=instance.schema in ledgers))
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


def _plan(s: Session, instance: Instance, chain: Chain, *, known: bool) -> Plan:
    history = History(s, instance.system, instance.schema)
    path = search_path(s, instance.system, instance.schema, chain.requires)
    if known:
        history.check_trust()
        return Plan(instance, history, history.to_apply(chain), chain, path, "")
    exists = s.conn.execute("SELECT FROM pg_namespace WHERE nspname = %s", [instance.schema]).fetchone()
    create_sql = history.create_sql(with_schema=exists is None)
    return Plan(instance, history, list(migrations(chain.files)), chain, path, create_sql)


def _apply_one(s: Session, plan: Plan, migration: SqlMigration, timeout: float, progress: Progress) -> int:
    """Apply one file and return its milliseconds."""
    file = migration.file
    begin = "BEGIN;\n" + settings(plan.path, timeout) + _ASYNC
    if plan.create_sql or migration is plan.pending[0]:
        s.conn.execute((begin + plan.create_sql).encode())
        check_path(s, plan.path)
        begin = ""
    rows: dict[str, int] = {}
    started = time.monotonic()
    if file.transactional:
        send(s, begin, file.text, name=file.id, path=file.path)
        if _INSERTS.search(file.text):
            rows = inserted_rows(s, plan.instance.schema)
    else:
        if not begin:
            s.conn.execute("COMMIT")
            plan.create_sql = ""
        alone.run(
            s, progress, file.text, name=file.id, path=file.path, search_path=plan.path, timeout=timeout
        )  # fmt: skip
        s.conn.execute(("BEGIN;\n" + settings(plan.path, timeout) + _ASYNC).encode())
    milliseconds = round((time.monotonic() - started) * 1000)
    record = plan.history.record_sql(migration, milliseconds, rows_inserted=rows)
    with file_errors(name=file.id, path=file.path, text=file.text):
        s.conn.execute((record + "COMMIT").encode())
    return milliseconds


def _rehearse(s: Session, plans: Sequence[Plan], lock_timeout: float, progress: Progress) -> list[Done]:
    done: list[Done] = []
    s.conn.execute("BEGIN")
    for plan in plans:
        if not plan.pending:
            continue
        s.conn.execute((settings(plan.path, lock_timeout) + plan.create_sql).encode())
        check_path(s, plan.path)
        for migration in plan.pending:
            file = migration.file
            progress.start(str(plan.instance), file.id)
            started = time.monotonic()
            text = file.text
            if not file.transactional:
                progress.note(f"{file.id}: rehearsed without CONCURRENTLY")
                text = without_concurrently(text)
            try:
                send(s, settings(plan.path, lock_timeout), text, name=file.id, path=file.path)
                with file_errors(name=file.id, path=file.path, text=text):
                    # Going back to the savepoint restores the deferral that the next file may count on.
                    s.conn.execute("SAVEPOINT checked; SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK TO checked")
            except CompanionError as error:
                if getattr(error, "sqlstate", None) == "55P04":
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


def inserted_rows(s: Session, schema: str) -> dict[str, int]:
    """Return how many rows the open transaction has inserted, by table of `schema`."""
    return dict(s.conn.execute(_INSERTED_SQL.encode(), [schema, list(ledger.TABLES)]).fetchall())


def flush(s: Session) -> None:
    """Make the server write every commit so far to disk, unless the connection is gone."""
    if s.conn.closed:
        return
    try:
        # A commit waits for the disk only if its transaction wrote something: a message in the log is enough.
        s.conn.execute("RESET ALL; SELECT pg_logical_emit_message(true, 'companion', 'flush')")
    except psycopg.Error:
        if not s.conn.closed:
            raise


@contextmanager
def _ready(database: Database, progress: Progress) -> Iterator[tuple[Session, Attempts]]:
    """Open a session that holds the runner's lock and passes the server's warnings on to `progress`."""

    def tell(diag: psycopg.errors.Diagnostic) -> None:
        if diag.severity_nonlocalized == "WARNING":
            progress.note(f"server: {diag.message_primary}")

    with session(database) as s, runner_lock(s, progress.note), Attempts(s, progress) as attempts:
        s.conn.add_notice_handler(tell)
        try:
            yield s, attempts
        finally:
            s.conn.remove_notice_handler(tell)
