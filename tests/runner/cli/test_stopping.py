"""Ctrl-C and SIGTERM: the exit code says which it was, and what is said of the work is true."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from runner.history.instances import Target
from runner.migrate.apply import apply
from tests.runner.command import run, start
from tests.runner.state import ids
from tests.runner.trees import CopyTree

STOPS = pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")]
)
SLEEPS = (
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ~ %s AND pid <> pg_backend_pid()"
)


def wait_for(conn: psycopg.Connection, query: str, process: subprocess.Popen[str]) -> None:
    """Return once a session is at a statement."""
    end = time.monotonic() + 30
    while not conn.execute(SLEEPS, [query]).fetchone():
        assert process.poll() is None and time.monotonic() < end, query
        time.sleep(0.01)


@pytest.fixture
def stop(conn: psycopg.Connection) -> Callable[..., tuple[int, str, str]]:
    """Return a function that starts a command, stops it when a statement runs, and returns how it ended."""

    def stop(number: int, query: str, *command: str, tree: str | Path) -> tuple[int, str, str]:
        process = start(*command, tree=tree)
        wait_for(conn, query, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert "Traceback" not in out + err
        return process.returncode, out, err

    return stop


@STOPS
def test_of_apply_it_is_said_what_is_kept(
    url: str, conn: psycopg.Connection, stop: Callable[..., tuple[int, str, str]], number: int, code: int, word: str
) -> None:
    returned, out, err = stop(number, "pg_sleep", "apply", tree="slow")
    assert (returned, out) == (code, ""), err
    assert err.splitlines()[-4:] == [
        f"error: {word}; what was committed stays",
        "  applied: demo 0001_a",
        "  not applied: demo 0002_b, which was running; nothing of it is kept",
        "next: run the command again to go on",
    ]
    assert ids(conn) == ["0001_a"]
    assert conn.execute("SELECT to_regclass('demo.b')").fetchone() == (None,)


@STOPS
def test_as_json_it_is_one_document(
    url: str, stop: Callable[..., tuple[int, str, str]], number: int, code: int, word: str
) -> None:
    returned, out, _ = stop(number, "pg_sleep", "apply", "--json", tree="slow")
    error = json.loads(out)["error"]
    assert (returned, error["type"]) == (code, "StoppedError")
    assert error["message"].startswith(word) and error["detail"][0] == "applied: demo 0001_a"


def test_an_index_that_is_left_half_built_is_named(
    url: str, conn: psycopg.Connection, stop: Callable[..., tuple[int, str, str]]
) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=Path("tests/trees/index"))
    with psycopg.connect(url) as writer:
        writer.execute("INSERT INTO demo.a VALUES (1)")
        returned, _, err = stop(signal.SIGINT, "^CREATE INDEX CONCURRENTLY|a_id_idx", "apply", tree="index")
    assert returned == 130, err
    left = conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('demo.a_id_idx')").fetchone()
    if left is None:
        assert "not applied: demo 0002_b, which was running; nothing of it is kept" in err
    else:
        assert "half done: demo 0002_b: index demo.a_id_idx is INVALID; the next attempt drops" in err
    assert run("apply", tree="index")[0] == 0
    assert ids(conn) == ["0001_a", "0002_b"]


def test_of_a_rollback_it_is_said_too(
    url: str, conn: psycopg.Connection, tree: CopyTree, stop: Callable[..., tuple[int, str, str]]
) -> None:
    root = tree("good")
    file = root / "functions/demo/0002_b.rollback.sql"
    file.write_text(file.read_text() + "SELECT pg_sleep(30);\n")
    apply(Target(url), sql_root=root)
    returned, _, err = stop(signal.SIGTERM, "pg_sleep", "rollback", tree=root)
    assert returned == 143, err
    assert "  not rolled back: demo 0002_b, which was running; nothing of it is kept\n" in err
    assert ids(conn) == ["0001_a", "0002_b"]


def test_who_only_waits_has_changed_nothing(
    url: str, conn: psycopg.Connection, stop: Callable[..., tuple[int, str, str]]
) -> None:
    apply(Target(url), sql_root=Path("tests/trees/good"))
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE demo._companion_ledger")
        returned, _, err = stop(signal.SIGINT, 'FROM "demo"._companion_ledger', "verify", tree="good")
        holder.rollback()
    assert returned == 130 and "error: interrupted" in err
