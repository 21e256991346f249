"""Undoing files, from the text recorded in the ledger; the files on disk are not even read.

What a call undoes, it undoes in one transaction, so that nothing is undone when any of it is refused. Only statements
that cannot run inside a transaction make it several; then the whole is first tried and its losses looked at.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import psycopg

from runner.errors import DataLossError, LedgerError, TreeError, UsageError
from runner.files import outside
from runner.files.order import in_order
from runner.files.text import for_transaction
from runner.files.tree import PLATFORM, Chain, File, find, is_transactional
from runner.history import ledger
from runner.history.instances import Instance, Target, installed
from runner.history.ledger import Entry, Ledger
from runner.history.path import check_path, search_path
from runner.history.tables import History
from runner.migrate import alone
from runner.migrate.apply import Done, flush, ready, what_was_stopped
from runner.migrate.losses import find_losses
from runner.migrate.send import file_errors, send
from runner.postgres.pace import DEFAULT, Pace
from runner.postgres.session import Session, identifier
from runner.postgres.settings import BEGIN
from runner.progress import Progress

# What is only tried out warns of nothing.
_QUIETLY = "SET LOCAL client_min_messages = error;\n"


@dataclass
class _Plan:
    """What to undo of one instance."""

    instance: Instance
    history: History
    path: list[str]
    entries: dict[str, Entry]
    undo: list[File]


@dataclass(frozen=True)
class _Step:
    """One file to undo."""

    plan: _Plan
    file: File
    last: bool
    """Whether the instance has no file left afterwards."""

    @property
    def text(self) -> str:
        return self.file.rollback_text

    @property
    def transactional(self) -> bool:
        return is_transactional(self.text)

    @property
    def name(self) -> str:
        return f"{self.file.id}.rollback"


def rollback(
    target: Target,
    *,
    to: str | None = None,
    count: int | None = None,
    everything: bool = False,
    discard_data: bool = False,
    pace: Pace = DEFAULT,
    progress: Progress | None = None,
) -> list[Done]:
    """Undo the last file of each instance, or the last `count`, or all after `to`, or `everything`; return what was.

    Without systems the one installed system is meant, or with `everything` all of them, platform last. Raises
    DataLossError, naming tables and rows, unless `discard_data`. With `everything` history and schema go too, so that
    the database is as before the first apply.
    """
    progress = progress or Progress()
    if sum([to is not None, count is not None, everything]) > 1:
        raise UsageError("--to, --count and --all exclude each other")
    if count is not None and count < 1:
        raise UsageError("--count must be at least 1")
    with ready(target.database, pace, progress) as (s, attempts):
        plans = _make_plans(s, target, to, 1 if count is None and to is None and not everything else count)
        steps = [
            _Step(plan, file, index == len(plan.entries)) for plan in plans for index, file in enumerate(plan.undo, 1)
        ]
        if faults := outside.rollback_faults(step.file for step in steps):
            raise TreeError(faults)
        progress.begin(len(steps))
        groups = [list(group) for _, group in groupby(steps, key=lambda step: step.transactional or id(step))]
        run = _Run(s, pace, progress, discard_data)
        if len(groups) > 1 and not discard_data:
            attempts.run("rollback", pace.lock_timeout, partial(run.try_out, steps))
        done: list[Done] = []
        running: list[tuple[History, File]] = []
        try:
            for group in groups:
                running = [(step.plan.history, step.file) for step in group]
                transactional = group[0].transactional
                work = run.undo_together if transactional else run.undo_alone
                done += attempts.run("rollback", pace.timeout(transactional), partial(work, group))
                running = []
        except KeyboardInterrupt as stop:
            raise what_was_stopped(s, done, running[:1], stop, undo=True) from None
        finally:
            if done:
                flush(s)
        return done


def _make_plans(s: Session, target: Target, to: str | None, count: int | None) -> list[_Plan]:
    ledgers = ledger.read(s.fetch, texts=True)
    chosen = _choose(target, ledgers, everything=count is None and to is None)
    if to is not None and len(chosen) != 1:
        raise UsageError("--to needs exactly one instance: name a system, or --schema")
    others = [name for name, one in ledgers.items() if one.system != PLATFORM and one.entries and one not in chosen]
    if others and any(one.system == PLATFORM for one in chosen):
        raise LedgerError(
            "platform is still needed by what is installed in " + ", ".join(others),
            hint="roll these back first, or everything with `companion rollback --all`",
        )
    plans = []
    for one in sorted(chosen, key=lambda one: one.system == PLATFORM):
        assert one.system is not None
        entries = {entry.id: entry for entry in one.entries}
        history = History(s, one.system, one.schema)
        history.check_trust(one.entries)
        chain = Chain(one.system, tuple(entry.file for entry in one.entries))
        undo = in_order(chain.files)[::-1]
        if to is not None:
            undo = undo[: len(chain.files) - 1 - find(chain.files, to, one.system)]
        instance = Instance(one.system, one.schema)
        plans.append(_Plan(instance, history, search_path(s, instance, chain.requires), entries, undo[:count]))
    return plans


def _choose(target: Target, ledgers: dict[str, Ledger], *, everything: bool) -> list[Ledger]:
    found = installed(target, ledgers)
    if target.schema is not None:
        if not found:
            wanted = " or ".join(target.systems)
            raise UsageError(f"schema {target.schema} holds no {wanted}", hint="see `companion status`")
        return found
    for system in target.systems:
        places = [one.schema for one in found if one.system == system]
        if len(places) > 1 and not everything:
            raise UsageError(f"{system} is installed in {', '.join(places)}", hint="say which one with --schema")
    if target.systems or everything:
        return found
    own = [one for one in found if one.system != PLATFORM] or found
    if len(own) > 1:
        raise UsageError(
            "say which system to roll back: " + ", ".join(f"{one.system} (in {one.schema})" for one in own)
        )
    return own


class _Run:
    """The ways to undo steps, with what all of them need."""

    def __init__(self, s: Session, pace: Pace, progress: Progress, discard_data: bool) -> None:
        self.s, self.pace, self.progress, self.discard_data = s, pace, progress, discard_data

    def try_out(self, steps: Sequence[_Step]) -> None:
        """Raise DataLossError if the steps would lose rows; change nothing."""
        self._begin(steps)
        self._check_losses(steps)
        self.s.conn.execute("ROLLBACK")

    def undo_together(self, steps: Sequence[_Step]) -> list[Done]:
        """Undo the steps in one transaction."""
        self._begin(steps)
        if not self.discard_data:
            self._check_losses(steps)
        done = []
        for step in steps:
            started = time.monotonic()
            self.progress.start(str(step.plan.instance), step.file.id)
            self._send(step, step.text, after=step.plan.history.forget_sql(step.file))
            done.append(self._finish(step, started))
        file = steps[-1]
        with file_errors(name=file.name, path=None, text=file.text):
            self.s.conn.execute("COMMIT")
        for one in done:
            self.progress.done(str(Instance(one.system, one.schema)), one.id, one.duration_ms, one.what)
        return done

    def undo_alone(self, steps: Sequence[_Step]) -> list[Done]:
        """Undo the one step, whose statement cannot run inside a transaction."""
        (step,) = steps
        started = time.monotonic()
        self.progress.start(str(step.plan.instance), step.file.id)
        path, timeout = step.plan.path, self.pace.build_timeout
        alone.run(
            self.s, self.progress, step.plan.history, step.file, undo=True, path=None, search_path=path, timeout=timeout
        )
        self._begin(steps)
        self.s.conn.execute(step.plan.history.forget_sql(step.file).encode())
        done = self._finish(step, started)
        self.s.conn.execute("COMMIT")
        self.progress.done(str(step.plan.instance), step.file.id, done.duration_ms, done.what)
        return [done]

    def _begin(self, steps: Sequence[_Step]) -> None:
        self.s.conn.execute(BEGIN)
        for plan in {id(step.plan): step.plan for step in steps}.values():
            self.s.conn.execute(self.s.settings(plan.path, self.pace.lock_timeout).encode())
            check_path(self.s, plan.path)

    def _send(self, step: _Step, text: str, *, before: str = "", after: str = "") -> None:
        before = self.s.settings(step.plan.path, self.pace.lock_timeout) + before
        send(self.s, before, text, after, name=step.name, path=None)

    def _check_losses(self, steps: Sequence[_Step]) -> None:
        inserted: dict[tuple[str, str], int] = {}
        for step in steps:
            schema = step.plan.instance.schema
            for table, rows in step.plan.entries[step.file.id].rows_inserted.items():
                inserted[schema, table] = inserted.get((schema, table), 0) + rows

        def run() -> None:
            for step in steps:
                text = step.text if step.transactional else for_transaction(step.text)[0]
                self._send(step, text, before=_QUIETLY)

        schemas = sorted({step.plan.instance.schema for step in steps})
        if losses := find_losses(self.s.conn, schemas, run, inserted):
            raise DataLossError(losses)

    def _finish(self, step: _Step, started: float) -> Done:
        instance = step.plan.instance
        if step.last:
            self._remove_instance(step.plan)
        milliseconds = round((time.monotonic() - started) * 1000)
        return Done(instance.system, instance.schema, step.file.id, milliseconds, "rolled back")

    def _remove_instance(self, plan: _Plan) -> None:
        """Drop the history and, if the runner made it and nothing else is in it, the schema."""
        conn, schema = self.s.conn, identifier(plan.instance.schema)
        conn.execute(plan.history.drop_sql().encode())
        if not plan.history.made_schema():
            return
        conn.execute("SAVEPOINT empty")
        try:
            conn.execute(f"DROP SCHEMA {schema}".encode())
        except psycopg.errors.DependentObjectsStillExist:
            conn.execute("ROLLBACK TO empty")
            self.progress.note(f"schema {plan.instance.schema} stays: it holds objects that are not Companion's")
