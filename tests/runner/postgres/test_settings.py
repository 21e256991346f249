"""Settings of a role or a database that are in a file's way: the runner sets its own, whatever the operator has set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.catalog.describe import describe
from runner.errors import DatabaseError, JobError
from runner.history.instances import Target
from runner.jobs import runs
from runner.migrate.apply import apply
from runner.migrate.rehearse import rehearse
from runner.migrate.rollback import rollback
from runner.migrate.seed import seed
from runner.postgres.session import session
from runner.postgres.settings import OURS
from tests.databases import cloned
from tests.runner.trees import CopyTree
from tests.servers import cluster

# Set with every file, beside OURS.
ALWAYS = {"search_path", "lock_timeout", "client_connection_check_interval", "client_encoding", "synchronous_commit"}

# Those that are not ours to set, in two lists with a heading each.
OPERATORS, HARMLESS = (
    set(names.split())
    for names in re.split(r"^\S.*\n", (Path(__file__).parent / "settings.txt").read_text(), flags=re.M)[1:]
)

# Another value of each of OURS than ours.
OTHER = {
    "array_nulls": "off",
    "backslash_quote": "on",
    "bytea_output": "escape",
    "check_function_bodies": "off",
    "client_min_messages": "error",
    "createrole_self_grant": "set",
    "DateStyle": "SQL, DMY",
    "default_text_search_config": "pg_catalog.simple",
    "default_transaction_deferrable": "on",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "escape_string_warning": "off",
    "exit_on_error": "on",
    "extra_float_digits": "-15",
    "gin_fuzzy_search_limit": "1",
    "idle_in_transaction_session_timeout": "200",
    "idle_session_timeout": "200",
    "IntervalStyle": "sql_standard",
    "lc_monetary": "C.UTF-8",
    "lc_numeric": "C.UTF-8",
    "lc_time": "C.UTF-8",
    "quote_all_identifiers": "on",
    "restrict_nonsystem_relation_kind": "view",
    "row_security": "off",
    "session_replication_role": "replica",
    "standard_conforming_strings": "off",
    "statement_timeout": "200",
    "TimeZone": "Asia/Kathmandu",
    "timezone_abbreviations": "India",
    "track_counts": "off",
    "transaction_timeout": "200",
    "transform_null_equals": "on",
    "xmlbinary": "hex",
    "xmloption": "document",
}


def test_every_setting_is_in_one_list(shared_connection: psycopg.Connection) -> None:
    rows = shared_connection.execute(
        "SELECT name FROM pg_settings WHERE context IN ('user', 'superuser') AND name !~ '[.]'"
    ).fetchall()
    shared_connection.rollback()
    lists = [OURS.keys() | ALWAYS, OPERATORS, HARMLESS]
    times = {name: sum(name in some for some in lists) for (name,) in rows}
    assert {name: count for name, count in times.items() if count != 1} == {}, "say whose it is"
    assert OTHER.keys() == OURS.keys()


@pytest.fixture(scope="module")
def expected(bare: NoopExecutor) -> Iterator[dict[str, object]]:
    """What the files of Hugo make in a database without settings."""
    with cloned(bare, "expected") as url, psycopg.connect(url, autocommit=True) as conn:
        apply(Target(url, ["hugo"]))
        yield describe(conn, "hugo")


def set_for(url: str, **values: str) -> None:
    """Set something for the whole database."""
    with psycopg.connect(url, autocommit=True) as conn:
        for name, value in values.items():
            conn.execute(f"ALTER DATABASE \"{conn.info.dbname}\" SET {name} = '{value}'".encode())


def known(url: str, values: dict[str, str]) -> dict[str, str]:
    """Leave out what this server does not have."""
    with psycopg.connect(url) as conn:
        names = {name for (name,) in conn.execute("SELECT name FROM pg_settings")}
    return {name: value for name, value in values.items() if name in names}


def live(url: str, tree: CopyTree, expected: dict[str, object]) -> None:
    """Apply, seed, run a job, apply outside a transaction, roll back: all as if nothing had been set."""
    rehearse(Target(url, ["hugo"]))
    apply(Target(url, ["hugo"]))
    with psycopg.connect(url, autocommit=True) as conn:
        assert describe(conn, "hugo") == expected
    assert [one.rows > 1000 for one in seed(Target(url, ["hugo"]))] == [True]
    apply(Target(url), sql_root=tree("index"))
    rollback(Target(url, ["hugo"]), everything=True, discard_data=True)
    rollback(Target(url), everything=True, discard_data=True)


@pytest.mark.parametrize("name", [name for name in OTHER if name not in ("statement_timeout", "transaction_timeout")])
def test_whatever_is_set_for_the_database_files_do_the_same(
    url: str, tree: CopyTree, expected: dict[str, object], name: str
) -> None:
    values = known(url, {name: OTHER[name]})
    set_for(url, **values)
    with session(url) as s:
        s.settle()
        for key in values:
            assert s.fetch(f"SHOW {key}") == OURS[key]
    live(url, tree, expected)


def test_a_job_is_sent_as_pg_cron_sends_it_and_recorded_all_the_same(url: str) -> None:
    apply(Target(url, ["hugo"]))
    set_for(url, default_transaction_read_only="on")
    with pytest.raises(JobError, match="read-only transaction"):
        runs.run(Target(url), "hugo:expire-memories")
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT outcome FROM hugo.job_runs").fetchall() == [("failed",)]


def test_no_timeout_ends_a_file(url: str, tree: CopyTree) -> None:
    """However short: pg_sleep stands for the work of a file."""
    root = tree("good")
    file = root / "functions/demo/0002_b.sql"
    file.write_text(file.read_text() + "SELECT pg_sleep(1);\n")
    names = ("statement_timeout", "transaction_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
    set_for(url, **known(url, dict.fromkeys(names, "300ms")))
    assert len(rehearse(Target(url), sql_root=root)) == 2
    assert len(apply(Target(url), sql_root=root)) == 2
    assert len(rollback(Target(url, ["demo"]), everything=True)) == 2


@pytest.fixture(scope="module")
def server(bare: NoopExecutor) -> Iterator[str]:
    with cluster(bare) as address:
        yield address


@pytest.mark.parametrize("name", ["session_replication_role", "track_counts"])
def test_what_only_a_superuser_may_override_is_named(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS app")
        conn.execute("DROP ROLE IF EXISTS anon, authenticated, service_role, deployer")
        conn.execute("CREATE ROLE deployer LOGIN CREATEROLE")
        conn.execute("CREATE DATABASE app OWNER deployer")
        conn.execute(f"ALTER ROLE deployer SET {name} = {OTHER[name]}".encode())
        url = make_conninfo(server, dbname="app", user="deployer")
        with pytest.raises(DatabaseError, match="only a superuser may override") as caught:
            apply(Target(url, ["othello"]))
        assert caught.value.detail == [f"{name} is {OTHER[name]}, and has to be {OURS[name]}"]
        conn.execute(str(caught.value.hint).partition("(")[2].partition(";")[0].encode())
    assert apply(Target(url, ["othello"]))
