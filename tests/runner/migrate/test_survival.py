"""What the runner survives on the real tree: kills at any moment, a crowd of runners, a server that goes away."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from runner.catalog.describe import Catalog, describe
from runner.catalog.differences import differences
from runner.errors import CompanionError, DatabaseError, SqlError, TreeError
from runner.files.tree import is_transactional, open_tree
from runner.history import ledger
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from runner.postgres import embedded, lock
from runner.progress import Progress
from tests.databases import cloned
from tests.runner.command import run, start
from tests.runner.state import ids
from tests.runner.trees import FAULTS, TREES, CopyTree

SQL = open_tree().root
SYSTEMS = ("platform", "hugo")
CHAINS = {system: open_tree().chain(system).files for system in SYSTEMS}
FILES = {system: [file.id for file in files] for system, files in CHAINS.items()}

# Kills of apply and of rollback in each of the parts that the 60 of either are divided into, on each server.
PARTS, KILLS = 4, 15


def wait_until(condition: Callable[[], Any], what: str, seconds: float = 30) -> None:
    """Return once `condition()` is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def is_quiet(conn: psycopg.Connection) -> bool:
    """Say whether nobody else is connected to the database and no advisory lock is held in it."""
    found = conn.execute(
        "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND pid <> pg_backend_pid())"
        " AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    ).fetchone()
    return found == (True,)


def history(conn: psycopg.Connection, system: str) -> list[str]:
    """Return what is applied, after seeing that ledger and yoyo's table tell the same."""
    if conn.execute("SELECT to_regclass(%s)", [f"{system}._companion_ledger"]).fetchone() == (None,):
        return []
    recorded = ids(conn, system)
    yoyos = conn.execute(f"SELECT migration_id FROM {system}._yoyo_migration ORDER BY migration_id".encode())
    assert [id for (id,) in yoyos] == recorded
    return recorded


Known = dict[str, list[Catalog]]
"""What the catalog holds with each number of files applied, by system."""


class Recorder(Progress):
    """Takes a snapshot after every file."""

    def __init__(self, conn: psycopg.Connection) -> None:
        self.conn = conn
        self.snapshots: dict[str, list[Catalog]] = {system: [{}] for system in SYSTEMS}

    def done(self, instance: str, id: str, milliseconds: int, what: str) -> None:
        self.snapshots[instance].append(describe(self.conn, instance))


@pytest.fixture(scope="session")
def known(bare: NoopExecutor) -> Known:
    """Go through the whole chain and look after each file."""
    with cloned(bare, "known") as url, psycopg.connect(url, autocommit=True) as conn:
        recorder = Recorder(conn)
        apply(Target(url, SYSTEMS), progress=recorder)
        return recorder.snapshots


def alone(system: str, applied: int) -> bool:
    """Say whether what may just have run, with so many files applied, runs outside of transactions."""
    up, down = CHAINS[system][applied : applied + 1], CHAINS[system][:applied][-1:]
    return not all([file.transactional for file in up] + [is_transactional(file.rollback_text) for file in down])


def without_indexes(catalog: Catalog) -> Catalog:
    """Leave out what a file outside of transactions makes; that it is made good is tested with such files."""
    return {name: {part: some for part, some in one.items() if part != "indexes"} for name, one in catalog.items()}


def check_agreement(conn: psycopg.Connection, known: Known, when: str) -> int:
    """Compare history and catalog, wherever a killed runner left them, and return how many files are applied."""
    wait_until(lambda: is_quiet(conn), f"the killed runner's session ends; {when}")
    total = 0
    for system in SYSTEMS:
        applied = history(conn, system)
        assert applied == FILES[system][: len(applied)], when
        expected, actual = known[system][len(applied)], describe(conn, system)
        if alone(system, len(applied)):
            expected, actual = without_indexes(expected), without_indexes(actual)
        assert differences(expected, actual) == [], when
        total += len(applied)
    return total


class Mark(Progress):
    """Writes a byte to a pipe whenever a file begins."""

    def __init__(self, pipe: int) -> None:
        self.pipe = pipe

    def start(self, instance: str, id: str) -> None:
        os.write(self.pipe, b".")


def kill_in_mid_work(
    work: Callable[[Progress], object], files: int, seconds: float, and_then: Callable[[], object]
) -> bool:
    """Kill a process that does `work` so long after it has begun so many files; say whether it was still at it.

    The process is a copy of this one, so that it need not import anything first. `and_then` is called right after
    the kill.
    """
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        try:
            work(Mark(writing))
        finally:
            os._exit(0)
    os.close(writing)
    while files and os.read(reading, 1):
        files -= 1
    time.sleep(seconds)
    os.kill(pid, signal.SIGKILL)
    and_then()
    os.close(reading)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_any_moment_nothing_is_half_done(url: str, conn: psycopg.Connection, known: Known, part: int) -> None:
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    kills = Counter({"apply": 0, "rollback": 0})
    applied, every = 0, sum(map(len, FILES.values()))

    def cut_off() -> None:
        # Left to itself, the server still finishes the message it has: cut it off in the middle of that, too.
        if moments.random() < 0.5:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def go(what: str, work: Callable[[Progress], object], files: int) -> int:
        # Without a file begun, it is still connecting, taking the lock, comparing.
        seconds = moments.uniform(0, 0.01 if files else 0.1)
        kills[what] += kill_in_mid_work(work, files, seconds, cut_off)
        when = f"{what} with {applied} files applied, killed {seconds:.4f} s after file {files} began; seed {seed}"
        return check_agreement(conn, known, when)

    def up(progress: Progress) -> None:
        apply(Target(url, SYSTEMS), progress=progress)

    def down(progress: Progress) -> None:
        rollback(Target(url), everything=True, discard_data=True, progress=progress)

    while min(kills.values()) < KILLS:
        while applied < every and min(kills.values()) < KILLS:
            applied = go("apply", up, moments.randint(0, 12))
            if applied:
                applied = go("rollback", down, moments.randint(0, applied))
        if applied == every:
            down(Progress())
            applied = check_agreement(conn, known, f"a whole rollback; seed {seed}")
    up(Progress())
    assert check_agreement(conn, known, f"the last run; seed {seed}") == every


@pytest.mark.parametrize("what", ["apply", "rollback"])
def test_killed_as_a_command_it_leaves_nothing_half_done(
    url: str, conn: psycopg.Connection, known: Known, what: str
) -> None:
    every = sum(map(len, FILES.values()))
    arguments = {"apply": ["apply"], "rollback": ["rollback", "--all", "--discard-data"]}[what]
    started = time.monotonic()
    apply(Target(url, SYSTEMS))
    seconds = (time.monotonic() - started) / 2
    if what == "apply":
        rollback(Target(url), everything=True, discard_data=True)
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    for _ in range(5):
        command = start(*arguments, tree=SQL)
        # The command takes its time to start: count from its first sign of life in the database.
        wait_until(lambda: not is_quiet(conn) or command.poll() is not None, "the command connects")  # noqa: B023
        moment = moments.uniform(0, seconds)
        time.sleep(moment)
        command.kill()
        command.communicate()
        check_agreement(conn, known, f"`companion {what}` killed {moment:.4f} s after it connected; seed {seed}")
    code, _, err = run(*arguments, tree=SQL)
    assert code == 0, err
    assert check_agreement(conn, known, f"the last {what}; seed {seed}") == (every if what == "apply" else 0)


def test_sixteen_runners_at_once_apply_each_file_once(url: str, conn: psycopg.Connection) -> None:
    conn.execute("SELECT pg_advisory_lock(%s)", [lock.KEY])
    runners = [start("apply", *SYSTEMS, tree=SQL) for _ in range(16)]
    for runner in runners:
        # Each says where it is and whom it waits for, before anything else.
        assert runner.stderr is not None
        assert runner.stderr.readline().startswith("database ")
        said = runner.stderr.readline()
        assert f"waiting for another runner: process {conn.info.backend_pid} (" in said
    conn.execute("SELECT pg_advisory_unlock(%s)", [lock.KEY])
    outputs = [runner.communicate(timeout=120) for runner in runners]
    assert [runner.returncode for runner in runners] == [0] * 16, outputs
    for system in SYSTEMS:
        logged = conn.execute(f"SELECT migration_id, operation FROM {system}._yoyo_log ORDER BY 1".encode()).fetchall()
        assert logged == [(id, "apply") for id in FILES[system]]
        assert history(conn, system) == FILES[system]


def test_a_runner_killed_in_mid_index_build_is_made_good(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "index")
    with psycopg.connect(url) as writer:
        writer.execute("INSERT INTO demo.a VALUES (1)")
        command = start("apply", tree="index")
        wait_until(lambda: invalid_indexes(conn) == ["a_id_idx"], "the build waits for the writer")
        command.kill()
        command.communicate()
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'CONCURRENTLY i?'"
        waiting += " AND state = 'active' AND pid <> pg_backend_pid()"
        wait_until(lambda: not conn.execute(waiting.encode()).fetchall(), "the server notices", 5)
        writer.commit()
    assert ids(conn) == ["0001_a"] and invalid_indexes(conn) == ["a_id_idx"]
    code, _, err = run("apply", tree="index")
    assert code == 0 and "dropping the INVALID index demo.a_id_idx" in err
    assert ids(conn) == ["0001_a", "0002_b"] and invalid_indexes(conn) == []


def test_a_failed_index_build_is_explained_and_made_good(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("index")
    file = root / "functions/demo/0002_b.sql"
    file.write_text(
        "-- depends: 0001_a\n-- transactional: false\nCREATE UNIQUE INDEX CONCURRENTLY a_id_idx ON a ((id % 2));\n"
    )
    apply(Target(url, ["demo"]), to="0001", sql_root=root)
    conn.execute("INSERT INTO demo.a VALUES (1), (3)")
    with pytest.raises(SqlError, match="could not create unique index"):
        apply(Target(url), sql_root=root)
    assert ids(conn) == ["0001_a"] and invalid_indexes(conn) == ["a_id_idx"]
    conn.execute("DELETE FROM demo.a WHERE id = 3")
    apply(Target(url), sql_root=root)
    assert ids(conn) == ["0001_a", "0002_b"] and invalid_indexes(conn) == []


def invalid_indexes(conn: psycopg.Connection) -> list[str]:
    rows = conn.execute(
        "SELECT relname FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid"
        " WHERE NOT indisvalid AND relnamespace = 'demo'::regnamespace"
    )
    return [name for (name,) in rows]


def test_a_server_that_crashes_in_mid_file_keeps_history_and_catalog_in_step(home: Path) -> None:
    url = embedded.start()
    pid = int((embedded.data_folder() / "postmaster.pid").read_text().split()[0])

    def crash() -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            sleeping = "SELECT FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND pid <> pg_backend_pid()"
            wait_until(lambda: conn.execute(sleeping.encode()).fetchall(), "the slow file runs")
        os.kill(pid, signal.SIGQUIT)

    thread = threading.Thread(target=crash)
    thread.start()
    with pytest.raises(DatabaseError, match="lost while 0002_b ran"):
        apply(Target(url), sql_root=TREES / "slow")
    thread.join()
    wait_until(lambda: embedded.running_url() is None, "the server is down")
    with pytest.raises(DatabaseError, match="cannot connect"):
        apply(Target(url), sql_root=TREES / "slow")
    with psycopg.connect(embedded.start(), autocommit=True) as conn:
        # Commits are asynchronous: what the crash loses, it loses together with its history.
        tables = [name for name in ("a", "b") if conn.execute("SELECT to_regclass(%s)", [f"demo.{name}"]).fetchone()[0]]
        assert [f"000{number}_{name}" for number, name in enumerate(tables, 1)] == ids(conn)
        assert "b" not in tables


def test_a_server_that_is_still_stopping_is_waited_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(embedded.start(), autocommit=True) as conn:
        backend = conn.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        pid_file = embedded.data_folder() / "postmaster.pid"
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        wait_until(lambda: embedded.running_url() is None, "the server stops")
        assert pid_file.exists()
        sleep = time.sleep

        def go_on(seconds: float) -> None:
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGCONT)
            sleep(seconds)

        monkeypatch.setattr(embedded.time, "sleep", go_on)
        assert embedded.start() == embedded.running_url()


def everything(conn: psycopg.Connection) -> object:
    """Return what the database holds: catalog and history."""
    tables = [f"demo.{name}" for name in ledger.TABLES]
    return describe(conn, "demo"), [conn.execute(f"TABLE {name}".encode()).fetchall() for name in tables]


@pytest.mark.parametrize("name", [*FAULTS, "syntax_error", "own_commit", "copy_stdin", "leaves_role"])
def test_what_is_refused_changes_nothing(url: str, conn: psycopg.Connection, tree: CopyTree, name: str) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "good")
    before = everything(conn)
    with pytest.raises(CompanionError) as caught:
        apply(Target(url), sql_root=TREES / name)
    assert type(caught.value) is (TreeError if name in FAULTS else SqlError)
    assert everything(conn) == before


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda file, rollback: file.write_text(file.read_text() + "-- Edited.\n"), "0001_a was edited"),
        (lambda file, rollback: rollback.write_text("DROP TABLE a CASCADE;\n"), "0001_a was edited"),
        (lambda file, rollback: (file.unlink(), rollback.unlink()), "0001 should come next"),
        (lambda file, rollback: shutil.copy(file, file.with_name("0001_b.sql")), "has number 0001 too"),
        (lambda file, rollback: rollback.unlink(), "has no rollback"),
    ],
    ids=["edited", "edited rollback", "deleted", "duplicated", "rollback deleted"],
)
def test_a_tree_that_is_not_what_was_applied_changes_nothing(
    url: str, conn: psycopg.Connection, tree: CopyTree, break_it: Callable[[Path, Path], object], said: str
) -> None:
    root = tree("good")
    apply(Target(url, ["demo"]), to="0001", sql_root=root)
    before = everything(conn)
    break_it(root / "migrations/demo/0001_a.sql", root / "migrations/demo/0001_a.rollback.sql")
    code, _, err = run("apply", tree=root)
    assert code in (1, 3) and said in err
    assert everything(conn) == before


def test_no_permission_changes_nothing(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "good")
    before = everything(conn)
    with psycopg.connect(url, options="-c role=pg_monitor") as weak, pytest.raises(CompanionError):
        apply(Target(weak), sql_root=TREES / "good")
    assert everything(conn) == before
