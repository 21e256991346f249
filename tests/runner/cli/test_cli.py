"""The command line as a user meets it: exit codes, JSON, what an error looks like."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.runner.command import changing, run, start
from tests.runner.state import ids
from tests.runner.trees import CopyTree


def test_status_tells_by_its_exit_code_and_as_json(url: str) -> None:
    code, out, _ = run("status", "--json")
    assert code == 3
    assert json.loads(out) == {
        "systems": [
            {"system": "demo", "schema": "demo", "applied": [], "pending": ["0001_a", "0002_b"], "edited": [],
             "missing": [], "out_of_order": [], "begun": []}
        ]
    }  # fmt: skip
    assert run("apply")[0] == 0
    code, out, err = run("status", "--json")
    (one,) = json.loads(out)["systems"]
    assert (code, err, one["pending"]) == (0, "", [])
    assert [sorted(entry) for entry in one["applied"]] == [["applied_at", "applied_by", "duration_ms", "id"]] * 2


def test_an_sql_error_shows_file_line_caret_and_what_to_do(url: str) -> None:
    code, out, err = changing("apply", tree="syntax_error")
    assert (code, out) == (1, "")
    lines = err.splitlines()
    assert lines[1] == 'error: syntax error at or near "TABEL" (SQLSTATE 42601)'
    assert lines[2] == "  at tests/trees/syntax_error/functions/demo/0002_b.sql:3:36"
    assert lines[4] == " 3 | \tCOMMENT ON TABLE b IS '表'; CREATE TABEL c ();"
    assert lines[5] == "   | \t" + " " * 35 + "^"
    assert lines[-1].startswith("next: ")


def test_an_error_as_json_is_one_document(url: str) -> None:
    code, out, err = changing("apply", "--json", tree="own_commit")
    error = json.loads(out)["error"]
    assert (code, err) == (1, "")
    assert (error["type"], error["line"], error["column"], error["sqlstate"]) == ("SqlError", 3, 1, "0A000")


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["apply", "nope"], 2, "unknown system 'nope'"),
        (["apply", "--to", "0001"], 2, "--to needs exactly one system"),
        (["apply", "--dry-run", "--rehearse"], 2, "exclude each other"),
        (["apply", "demo", "--adopt", "0001", "--to", "0001"], 2, "exclude each other"),
        (["rollback", "nope"], 2, "not installed"),
        (["seed"], 2, "say --demo"),
        (["frobnicate"], 2, "No such command"),
        (["apply", "--schema", "x"], 2, "--schema needs exactly one system"),
        (["status", "--database", "postgresql://u:s3cret@127.0.0.1:1/x"], 1, "cannot connect"),
        (["status", "--sql-root", "/nonexistent"], 2, "holds no SQL tree"),
    ],
)
def test_wrong_use_is_explained(url: str, args: list[str], code: int, said: str) -> None:
    found, out, err = run(*args)
    assert (found, out) == (code, "") and said in err and "s3cret" not in err


def test_no_database_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("COMPANION_HOME", str(tmp_path))
    code, _, err = run("status")
    assert code == 2 and "no database: give --database, set DATABASE_URL or PGHOST, or run `companion up`" in err


def test_a_killed_runner_leaves_nothing_half_done(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    runner = start("apply", tree="slow")
    while ids(conn) != ["0001_a"]:
        time.sleep(0.02)
    runner.send_signal(signal.SIGKILL)
    runner.communicate()
    root = tree("slow")
    (root / "functions/demo/0002_b.sql").write_text("-- depends: 0001_a\nCREATE TABLE b (id integer);\n")
    started = time.monotonic()
    assert run("apply", tree=root)[0] == 0
    assert time.monotonic() - started < 5
    assert ids(conn) == ["0001_a", "0002_b"]


def test_a_refused_rollback_names_tables_and_rows(url: str, conn: psycopg.Connection) -> None:
    run("apply")
    conn.execute("INSERT INTO demo.b SELECT generate_series(1, 1234)")
    code, _, err = run("rollback")
    assert code == 1 and "  demo.b: 1,234 rows" in err and "--discard-data" in err


@pytest.mark.parametrize("args", [["--adopt", "0001"], ["--adopt", "--to", "0001"]])
def test_files_are_adopted_up_to_one(url: str, conn: psycopg.Connection, args: list[str]) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY)")
    assert run("apply", "demo", *args)[0] == 0
    assert ids(conn) == ["0001_a"]
    assert run("apply", "demo", "--adopt")[0] == 3 and ids(conn) == ["0001_a"]


def test_a_new_file_is_refused_until_it_is_written(tree: CopyTree) -> None:
    root = tree("good")
    code, out, _ = run("new", "demo", "functions", "shout_loud", tree=root)
    assert code == 0 and out.split()[0].endswith("functions/demo/0003_shout_loud.sql")
    path = root / "functions/demo/0003_shout_loud.sql"
    assert path.read_text() == "-- Shout loud.\n-- depends: 0002_b\n"
    code, _, _err = run("apply", "--database", "postgresql:///unused", tree=root)
    assert code == 1
    code, out, _ = run("lint", "--json", tree=root)
    assert "0003_shout_loud.sql holds no statement" in out and "0003_shout_loud.rollback.sql is empty" in out
    assert run("new", "demo", "functions", "Bad-Slug", tree=root)[0] == 2
    assert run("new", "demo", "nonsense", "x", tree=root)[0] == 2


def test_a_replacement_starts_from_the_live_function(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("good")
    run("apply", tree=root)
    conn.execute("SET search_path = demo, platform, pg_temp")
    conn.execute(
        "CREATE FUNCTION f(p_a a) RETURNS integer LANGUAGE plpgsql SET search_path FROM CURRENT"
        " AS $$BEGIN RETURN 1; END$$"
    )
    assert run("new", "demo", "functions", "replace_f", "--replace", "f", tree=root)[0] == 0
    text = (root / "functions/demo/0003_replace_f.sql").read_text()
    assert "CREATE OR REPLACE FUNCTION f(p_a a)" in text and "SET search_path FROM CURRENT\n" in text
    assert run("apply", tree=root)[0] == 0
    assert run("rollback", tree=root)[0] == 0


def test_up_makes_everything_ready_and_then_does_nothing(url: str, conn: psycopg.Connection) -> None:
    code, out, _ = run("up", tree="seeded")
    assert code == 0 and "demo data loaded: demo" in out and "connect to" in out
    code, out, err = changing("up", tree="seeded")
    assert (code, err) == (0, "") and "nothing to do" in out
    assert conn.execute("SELECT count(*) FROM demo.a").fetchone() == (7,)


SAYS = """DO $$ BEGIN
    RAISE NOTICE 'moved 4711 rows'; RAISE INFO 'for your information';
    RAISE WARNING 'one row is odd' USING DETAIL = 'It has no name.', HINT = 'Give it one.';
END $$;
"""


def test_what_a_file_tells_is_shown(url: str, tree: CopyTree) -> None:
    root = tree("good")
    for name in ("0002_b.sql", "0002_b.rollback.sql"):
        file = root / "functions/demo" / name
        file.write_text(file.read_text() + SAYS)
    warning = "note: server: one row is odd; detail: It has no name.; hint: Give it one."
    for command in (["apply", "--rehearse"], ["apply"], ["rollback"], ["apply", "--json"]):
        code, _, err = changing(*command, tree=root)
        assert code == 0
        lines = err.splitlines()
        assert {"notice: moved 4711 rows", "info: for your information", warning} <= set(lines), command
    assert run("rollback", "--quiet", tree=root)[2].splitlines() == [warning]
    code, out, err = run("apply", "--quiet", tree=root)
    assert (code, err.splitlines()) == (0, [warning]) and "applied" in out
