"""How a file is sent, and what becomes of an error in it."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from runner.errors import (
    DatabaseError,
    SqlError,
)
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.send import wrap
from runner.postgres.session import Session
from tests.runner.state import ids
from tests.runner.trees import TREES


def test_a_file_is_wrapped_in_tags_it_does_not_contain() -> None:
    text = "SELECT $companion_1$ % $$ $companion_1$;"
    session = Session(None, "o'me", "back\\slash", 1, "")
    assert text in wrap(session, text) and wrap(session, text).startswith("DO $companion_")


def test_a_syntax_error_is_shown_at_its_line_and_column(url: str, conn: psycopg.Connection) -> None:
    with pytest.raises(SqlError) as caught:
        apply(Target(url), sql_root=TREES / "syntax_error")
    error = caught.value
    assert (error.sqlstate, error.line, error.column) == ("42601", 3, 36)
    assert error.text.split("\n")[2][35:].startswith("TABEL")
    assert ids(conn) == ["0001_a"] and conn.execute("SELECT to_regclass('demo.b')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("name", "reason", "line"),
    [("own_commit", "a file cannot begin or end a transaction itself", 3), ("copy_stdin", "COPY", 3)],
)
def test_what_the_runner_has_to_do_itself_is_refused(
    url: str, conn: psycopg.Connection, name: str, reason: str, line: int
) -> None:
    with pytest.raises(SqlError, match=reason) as caught:
        apply(Target(url), sql_root=TREES / name)
    assert caught.value.line == line and ids(conn) == ["0001_a"]


def test_a_file_may_not_leave_another_role_behind(url: str, conn: psycopg.Connection) -> None:
    with pytest.raises(SqlError, match="left the role pg_monitor behind") as caught:
        apply(Target(url), sql_root=TREES / "leaves_role")
    assert caught.value.context is None and caught.value.position is None
    assert ids(conn) == ["0001_a"]


def test_settings_of_one_file_do_not_reach_the_next(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "settings_leak")
    assert conn.execute("SELECT to_regclass('demo.b')").fetchone() != (None,)


def test_a_server_that_goes_away_in_mid_file_is_an_explained_error(url: str, conn: psycopg.Connection) -> None:
    def cut() -> None:
        for _ in range(100):
            rows = conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE '%%pg_sleep(30)%%' AND pid <> pg_backend_pid()"
            ).fetchall()
            if rows:
                return
            time.sleep(0.05)

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(DatabaseError, match="lost while 0002_b ran"):
        apply(Target(url), sql_root=TREES / "slow")
    thread.join()
    assert ids(conn) == ["0001_a"]
