"""Running the tests of a system against its mutants, each in a database of its own, until one test fails.

A plugin of pytest: the tests are collected once; then the process forks, and each child takes mutant after mutant.
"""

from __future__ import annotations

import inspect
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest

import psycopg
import pytest
from _pytest.runner import runtestprotocol
from psycopg.conninfo import make_conninfo

from docs.generate.model import read
from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.databases import INSTANCES, MUTANT
from tests.mutants.make import Mutant, mutants, step_into

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
            apply(Target(base, [system]))
            with psycopg.connect(base) as conn:
                found = mutants(conn, system)
            self.mutants += [one for one in found if all(word in one.id for word in self._words)]
        self.mutants = self.mutants[:: self._sample]

        # A pool does not wait for a worker that died.
        with ProcessPoolExecutor(self._workers, multiprocessing.get_context("fork"), self._begin, (session,)) as pool:
            try:
                for done in as_completed([pool.submit(_worked, index) for index in range(len(self.mutants))]):
                    self.outcomes.append(done.result())
                    self._tell(session, self.outcomes[-1])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        self._see_that_they_pass(session, {outcome.killed_by for outcome in self.outcomes})
        return True

    def _see_that_they_pass(self, session: pytest.Session, killers: set[str | None]) -> None:
        """Run the tests that noticed something on databases without a mutant: who fails anyway notices nothing."""
        for system in self._systems:
            items = [item for item in session.items if item.nodeid in killers and _system_of(item) == system]
            os.environ[MUTANT] = _made(os.environ["COMPANION_TEST_URL"], "mutant_none", f"mutants_{system}")
            for item, following in zip_longest(items, items[1:]):
                runtestprotocol(item, nextitem=following)
            session._setupstate.teardown_exact(None)

    def _begin(self, session: pytest.Session) -> None:
        """Begin to be a worker."""
        global _work
        # So are the databases of this process named.
        os.environ["PYTEST_XDIST_WORKER"] = f"mutants{os.getpid()}"
        order = _Order(session.items)

        def work(index: int) -> Outcome:
            try:
                return _run(index, self.mutants[index], session, order)
            except Exception as error:
                raise RuntimeError(f"{self.mutants[index].id}: {error!r}") from error

        _work = work

    def _tell(self, session: pytest.Session, outcome: Outcome) -> None:
        said = f"killed by {outcome.killed_by}" if outcome.killed_by else "SURVIVED"
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            reporter.write_line(
                f"{len(self.outcomes)}/{len(self.mutants)} {outcome.seconds:.1f} s, {outcome.tests} tests: "
                f"{self.mutants[outcome.index].id}: {said}"
            )


# What a worker does; only what has a place in a module can be sent to it.
_work: Callable[[int], Outcome]


def _worked(index: int) -> Outcome:
    return _work(index)


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


def _run(index: int, mutant: Mutant, session: pytest.Session, order: _Order) -> Outcome:
    begun = time.monotonic()
    server = os.environ["COMPANION_TEST_URL"]
    os.environ[MUTANT] = _made(server, f"mutant_{os.getpid()}", f"mutants_{mutant.system}")
    with psycopg.connect(os.environ[MUTANT]) as conn:
        step_into(conn, mutant.system)
        conn.execute(mutant.sql.encode())
    items = order.of(mutant)
    killed_by, count = None, 0
    for item, following in zip_longest(items, items[1:]):
        count += 1
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            killed_by = item.nodeid
            order.learn(mutant, item)
            break
    # The next mutant is another database.
    session._setupstate.teardown_exact(None)
    return Outcome(index, killed_by, count, time.monotonic() - begun)


class _Order:
    """Which tests to run first: the likelier one is to notice a mutant, by its words, the sooner.

    A test that has a word in its text counts as if it had noticed a mutant with this word.
    """

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._texts = {item: _text(item) for item in items}
        self._costly = {item for item in items if "own_database" in getattr(item, "fixturenames", ())}
        self._items: dict[str, list[pytest.Item]] = {}
        for item in items:
            self._items.setdefault(_system_of(item), []).append(item)
        self._rules = {system: read(system).rules for system in self._items}
        self._noticed: Counter[str] = Counter()
        self._noticed_by: Counter[tuple[str, pytest.Item]] = Counter()

    def learn(self, mutant: Mutant, item: pytest.Item) -> None:
        """Remember which test noticed a mutant."""
        for word in self._words(mutant):
            self._noticed[word] += 1
            self._noticed_by[word, item] += 1

    def of(self, mutant: Mutant) -> list[pytest.Item]:
        """Return the tests of the mutant's system, the likeliest to notice it first."""
        words = self._words(mutant)

        def likelihood(item: pytest.Item) -> float:
            text = self._texts[item]
            return sum((self._noticed_by[word, item] + (word in text)) / (self._noticed[word] + 1) for word in words)

        return sorted(self._items[mutant.system], key=lambda item: (-likelihood(item), item in self._costly))

    def _words(self, mutant: Mutant) -> set[str]:
        """Return its words, its kind, and the rules that it enforces."""
        rules = {one.id for one in self._rules[mutant.system] if any(map(one.names_it, mutant.words))}
        return {*mutant.words, f"kind: {mutant.kind}"} | rules


def _text(item: pytest.Item) -> str:
    """Return what a test says: its code, its parameters and its rules."""
    assert isinstance(item, pytest.Function)
    rules = [mark.args[0] for mark in item.iter_markers("rule")]
    return f"{item.nodeid} {rules} {inspect.getsource(item.function)} {item.callspec.params}"
