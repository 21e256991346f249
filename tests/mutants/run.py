"""Running the tests of a system against its mutants, each in a database of its own, until one test fails.

A plugin of pytest: the tests are collected once; then the process forks, and each child takes mutant after mutant.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue

import psycopg
import pytest
from _pytest.runner import runtestprotocol
from psycopg.conninfo import make_conninfo

from docs.generate.model import read
from runner.apply import apply
from tests.conftest import INSTANCES, MUTANT
from tests.mutants.make import Mutant, mutants

# What hangs because of a mutant ends after this.
PATIENCE = "20s"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: the test that failed, or None; how many tests were run, in how many seconds."""

    index: int
    killed_by: str | None
    tests: int
    seconds: float


class Mutants:
    """The plugin. After the run `mutants` and `outcomes` tell what there was and what became of it."""

    def __init__(self, systems: Sequence[str], words: Sequence[str], sample: int, workers: int) -> None:
        """Take the systems; only mutants whose id has each of the words; of these every `sample`-th one."""
        self._systems, self._words, self._sample, self._workers = systems, words, sample, workers
        self.mutants: list[Mutant] = []
        self.outcomes: list[Outcome] = []

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the tests that use a database of the instance in the schema of the system's name, but no masses."""
        kept = [item for item in items if _uses_instance(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all mutants, in place of all tests."""
        server = os.environ["COMPANION_TEST_URL"]
        for system in self._systems:
            base = _made(server, f"mutants_{system}", None)
            apply(base, [system])
            with psycopg.connect(base, autocommit=True) as conn:
                conn.execute(f"SET search_path = {system}, platform, extensions, pg_temp".encode())
                found = mutants(conn, system)
            self.mutants += [one for one in found if all(word in one.id for word in self._words)]
        self.mutants = self.mutants[:: self._sample]

        todo: SimpleQueue[int | None] = multiprocessing.SimpleQueue()
        done: SimpleQueue[Outcome | BaseException] = multiprocessing.SimpleQueue()
        fork = multiprocessing.get_context("fork")
        children = [
            fork.Process(target=self._work, args=(number, session, todo, done)) for number in range(self._workers)
        ]
        for child in children:
            child.start()
        # The pipe holds few: one after the other, each child takes what it can.
        ahead = iter([*range(len(self.mutants)), *([None] * self._workers)])
        for index in [next(ahead) for _ in range(min(self._workers * 2, len(self.mutants) + self._workers))]:
            todo.put(index)
        while len(self.outcomes) < len(self.mutants):
            outcome = done.get()
            if isinstance(outcome, BaseException):
                raise outcome
            self.outcomes.append(outcome)
            _tell(session, len(self.outcomes), len(self.mutants), self.mutants[outcome.index], outcome)
            if (following := next(ahead, -1)) != -1:
                todo.put(following)
        for child in children:
            child.join()
        self._see_that_they_pass(session, {outcome.killed_by for outcome in self.outcomes})
        return True

    def _see_that_they_pass(self, session: pytest.Session, killers: set[str | None]) -> None:
        """Run the tests that noticed something on databases without a mutant: who fails anyway notices nothing."""
        failing = []
        for system in self._systems:
            items = [item for item in session.items if item.nodeid in killers and _system_of(item) == system]
            os.environ[MUTANT] = _made(os.environ["COMPANION_TEST_URL"], "mutant_none", f"mutants_{system}")
            for item, following in zip(items, [*items[1:], None], strict=True):
                if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
                    failing.append(item.nodeid)
            session._setupstate.teardown_exact(None)
        if failing:
            raise pytest.UsageError(f"fails without a mutant: {', '.join(failing)}")

    def _work(
        self,
        number: int,
        session: pytest.Session,
        todo: SimpleQueue[int | None],
        done: SimpleQueue[Outcome | BaseException],
    ) -> None:
        # So are the databases of this process named.
        os.environ["PYTEST_XDIST_WORKER"] = f"mutants{number}"
        server = os.environ["COMPANION_TEST_URL"]
        order = _Order(session.items)
        try:
            while (index := todo.get()) is not None:
                done.put(_run(server, number, index, self.mutants[index], session, order))
        except BaseException as error:
            done.put(RuntimeError(f"{self.mutants[index].id}: {error!r}"))
        os._exit(0)


def _uses_instance(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    call = getattr(item, "callspec", None)
    schema = call.params.get("schema") if call else None
    return (
        schema in INSTANCES
        and not {"shared_database", "own_database"}.isdisjoint(names)
        and "large" not in names
        # Nor those that look at other instances besides.
        and "INSTANCES" not in inspect.getsource(item.function)
    )


def _system_of(item: pytest.Item) -> str:
    return str(item.callspec.params["schema"])


def _made(server: str, name: str, source: str | None) -> str:
    """Make a database anew, as a copy of another one or empty, and return its address."""
    with closing(psycopg.connect(server, autocommit=True)) as conn:
        conn.execute(f"DROP DATABASE IF EXISTS {name} (FORCE)".encode())
        conn.execute(f"CREATE DATABASE {name} {f'TEMPLATE {source}' if source else ''}".encode())
        conn.execute(f"ALTER DATABASE {name} SET statement_timeout = '{PATIENCE}'".encode())
    return make_conninfo(server, dbname=name)


def _run(server: str, number: int, index: int, mutant: Mutant, session: pytest.Session, order: _Order) -> Outcome:
    begun = time.monotonic()
    os.environ[MUTANT] = _made(server, f"mutant_{number}", f"mutants_{mutant.system}")
    with psycopg.connect(os.environ[MUTANT]) as conn:
        conn.execute(f"SET LOCAL search_path = {mutant.system}, platform, extensions, pg_temp".encode())
        conn.execute(mutant.sql.encode())
    items = order.of(mutant)
    killed_by, count = None, 0
    for item, following in zip(items, [*items[1:], None], strict=True):
        count += 1
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            killed_by = item.nodeid
            order.learn(mutant, item)
            break
    # The next mutant is another database.
    session._setupstate.teardown_exact(None)
    return Outcome(index, killed_by, count, time.monotonic() - begun)


class _Order:
    """Which tests to run first: those that speak of what is missing, then those that noticed something like it."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._items: dict[str, list[pytest.Item]] = {}
        self._texts = {item: _text(item) for item in items}
        self._rules = {item: {mark.args[0] for mark in item.iter_markers("rule")} for item in items}
        self._kills: Counter[tuple[str, str, pytest.Item]] = Counter()
        for item in items:
            self._items.setdefault(_system_of(item), []).append(item)
        self._known = {system: read(system).rules for system in self._items}

    def learn(self, mutant: Mutant, item: pytest.Item) -> None:
        """Remember which test noticed a mutant."""
        self._kills[mutant.words[0], "", item] += 1
        self._kills[mutant.kind, mutant.words[-1], item] += 1

    def of(self, mutant: Mutant) -> list[pytest.Item]:
        """Return the tests of the mutant's system, the likeliest to notice it first."""
        rules = {one.id for one in self._known[mutant.system] if any(map(one.names_it, mutant.words[:2]))}

        def rank(item: pytest.Item) -> tuple[int, int, int, int]:
            text = self._texts[item]
            named = sum(word in text for word in mutant.words) + 4 * (mutant.words[0] in text)
            about = 2 * bool(rules & self._rules[item])
            costly = "own_database" in getattr(item, "fixturenames", ())
            alike, related = self._kills[mutant.words[0], "", item], self._kills[mutant.kind, mutant.words[-1], item]
            return -alike, -(named + about), -related, costly

        return sorted(self._items[mutant.system], key=rank)


def _text(item: pytest.Item) -> str:
    function = getattr(item, "function", None)
    call = getattr(item, "callspec", None)
    return f"{item.nodeid} {inspect.getsource(function) if function else ''} {call.params if call else ''}"


def _tell(session: pytest.Session, number: int, count: int, mutant: Mutant, outcome: Outcome) -> None:
    said = f"killed by {outcome.killed_by}" if outcome.killed_by else "SURVIVED"
    line = f"{number}/{count} {outcome.seconds:.1f} s, {outcome.tests} tests: {mutant.id}: {said}"
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(line)


def survivors(plugin: Mutants) -> Iterator[tuple[Mutant, Outcome]]:
    """Yield the mutants that no test noticed, in the order in which they were made."""
    for outcome in sorted(plugin.outcomes, key=lambda one: one.index):
        if outcome.killed_by is None:
            yield plugin.mutants[outcome.index], outcome
