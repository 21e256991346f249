"""Applying: what is done, what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from yoyo import get_backend, internalmigrations
from yoyo.migrations import get_migration_hash

from runner import ledger, lock, quick, retry
from runner.adopt import adopt
from runner.apply import apply, dry_run
from runner.catalog import describe
from runner.errors import (
    CompanionError,
    DatabaseError,
    DriftError,
    LedgerError,
    LockTimeoutError,
    RehearsalError,
    SqlError,
    UsageError,
)
from runner.progress import Progress
from runner.rehearse import rehearse
from runner.status import status
from tests.runner.conftest import TREES

CopyTree = Callable[[str], Path]


class Notes(Progress):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.sql: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def emit(self, sql: str) -> None:
        self.sql.append(sql)


def ids(conn: psycopg.Connection, schema: str = "demo") -> list[str]:
    found = ledger.read(lambda query: conn.execute(query.encode()).fetchone()[0]).get(schema)
    return [entry.id for entry in found.entries] if found else []


def schemas(conn: psycopg.Connection) -> set[str]:
    return {name for (name,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")}


@contextmanager
def locked(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """Hold the locks of `statement` in a transaction of another session."""
    with psycopg.connect(url, application_name="nightly report") as other:
        other.execute(statement.encode())
        yield other
        other.rollback()


def test_everything_is_applied_once(url: str, conn: psycopg.Connection) -> None:
    assert [one.id for one in apply(url, sql_root=TREES / "good")] == ["0001_a", "0002_b"]
    assert apply(url, sql_root=TREES / "good") == []
    assert ids(conn) == ["0001_a", "0002_b"]


def test_a_connection_may_be_given_instead_of_an_address(url: str) -> None:
    with psycopg.connect(url) as own:
        assert len(apply(own, sql_root=TREES / "good")) == 2
        assert not own.autocommit and not own.closed


def test_the_history_is_in_yoyos_own_format(url: str, conn: psycopg.Connection) -> None:
    apply(url, sql_root=TREES / "good")
    with psycopg.connect(url) as plain:
        info = plain.info
        address = f"postgresql+psycopg://{info.user}@/{info.dbname}?host={info.host}&port={info.port}&schema=demo"
    backend = get_backend(address)
    assert internalmigrations.get_current_version(backend) == max(internalmigrations.schema_versions)
    assert list(backend.get_applied_migration_hashes()) == [get_migration_hash(id) for id in ("0001_a", "0002_b")]
    backend.connection.close()
    logged = conn.execute("SELECT migration_id, operation FROM demo._yoyo_log ORDER BY created_at_utc").fetchall()
    assert logged == [("0001_a", "apply"), ("0002_b", "apply")]


def test_platform_comes_first_and_chains_with_equal_ids_do_not_mix(url: str, conn: psycopg.Connection) -> None:
    done = apply(url, sql_root=TREES / "two_systems")
    assert [one.system for one in done] == ["platform", "demo", "demo", "other"]
    assert ids(conn, "other") == ["0001_a"] and ids(conn, "platform") == ["0001_shared"]


def test_one_system_installs_beside_itself_in_other_schemas(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], sql_root=TREES / "good")
    apply(url, ["demo"], schema='we"ird Name', sql_root=TREES / "good")
    apply(url, ["demo"], schema="public", sql_root=TREES / "good")
    assert describe(conn, "demo") == describe(conn, 'we"ird Name')
    assert {one.instance.schema for one in status(url, sql_root=TREES / "good")} == {"demo", 'we"ird Name', "public"}


def test_one_schema_holds_one_system(url: str) -> None:
    apply(url, ["demo"], sql_root=TREES / "two_systems")
    with pytest.raises(LedgerError, match="schema demo holds demo"):
        apply(url, ["other"], schema="demo", sql_root=TREES / "two_systems")


def test_to_stops_after_a_file(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "good")
    assert ids(conn) == ["0001_a"]
    with pytest.raises(UsageError, match="demo has no file 0009"):
        apply(url, ["demo"], to="0009", sql_root=TREES / "good")


def test_a_syntax_error_is_shown_at_its_line_and_column(url: str, conn: psycopg.Connection) -> None:
    with pytest.raises(SqlError) as caught:
        apply(url, sql_root=TREES / "syntax_error")
    error = caught.value
    assert (error.sqlstate, error.line, error.column) == ("42601", 3, 36)
    assert error.text.split("\n")[2][35:].startswith("TABEL")
    assert ids(conn) == ["0001_a"] and conn.execute("SELECT to_regclass('demo.b')").fetchone() == (None,)


def test_a_first_file_that_fails_leaves_no_schema_behind(url: str, conn: psycopg.Connection, tree: CopyTree) -> None:
    root = tree("good")
    (root / "migrations/demo/0001_a.sql").write_text("CREATE TABLE a (id integer);\nSELECT 1 / 0;\n")
    before = schemas(conn)
    with pytest.raises(SqlError, match="division by zero"):
        apply(url, sql_root=root)
    assert schemas(conn) == before


@pytest.mark.parametrize(
    ("name", "reason", "line"),
    [("own_commit", "a file cannot begin or end a transaction itself", 3), ("copy_stdin", "COPY", 3)],
)
def test_what_the_runner_has_to_do_itself_is_refused(
    url: str, conn: psycopg.Connection, name: str, reason: str, line: int
) -> None:
    with pytest.raises(SqlError, match=reason) as caught:
        apply(url, sql_root=TREES / name)
    assert caught.value.line == line and ids(conn) == ["0001_a"]


def test_a_file_may_not_leave_another_role_behind(url: str, conn: psycopg.Connection) -> None:
    with pytest.raises(SqlError, match="left the role pg_monitor behind") as caught:
        apply(url, sql_root=TREES / "leaves_role")
    assert caught.value.context is None and caught.value.position is None
    assert ids(conn) == ["0001_a"]


def test_settings_of_one_file_do_not_reach_the_next(url: str, conn: psycopg.Connection) -> None:
    apply(url, sql_root=TREES / "settings_leak")
    assert conn.execute("SELECT to_regclass('demo.b')").fetchone() != (None,)


def test_edited_deleted_and_overtaken_files_are_reported_and_stop_apply(url: str, tree: CopyTree) -> None:
    root = tree("good")
    apply(url, sql_root=root)
    (root / "functions/demo/0002_b.sql").rename(root / "functions/demo/0002_c.sql")
    (root / "functions/demo/0002_b.rollback.sql").rename(root / "functions/demo/0002_c.rollback.sql")
    edited = root / "migrations/demo/0001_a.sql"
    edited.write_text(edited.read_text() + "-- Edited.\n")
    (one,) = status(url, sql_root=root)
    assert (one.state.edited, one.state.missing, one.state.pending) == (["0001_a"], ["0002_b"], ["0002_c"])
    with pytest.raises(DriftError) as caught:
        apply(url, sql_root=root)
    assert caught.value.exit_code == 3 and "0001_a was edited" in caught.value.detail[0]


def test_the_history_is_closed_to_api_roles_whatever_the_default_privileges(url: str, conn: psycopg.Connection) -> None:
    for role in ("anon", "authenticated", "service_role"):
        conn.execute(f"DO $$BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END$$".encode())
    conn.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role, PUBLIC")
    apply(url, ["demo"], sql_root=TREES / "good", to="0001")
    for table in ledger.TABLES:
        found = conn.execute(
            "SELECT relrowsecurity, (SELECT count(*) FROM aclexplode(relacl) WHERE grantee <> relowner)"
            " FROM pg_class WHERE oid = to_regclass(%s)",
            [f"demo.{table}"],
        ).fetchone()
        assert found == (True, 0)


def test_a_path_on_which_an_api_role_may_create_is_refused(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; GRANT CREATE ON SCHEMA demo TO PUBLIC")
    with pytest.raises(DatabaseError, match="may create objects") as caught:
        apply(url, sql_root=TREES / "good")
    assert caught.value.hint == 'REVOKE CREATE ON SCHEMA "demo" FROM PUBLIC'
    assert ids(conn) == []


def test_a_lock_is_waited_for_and_the_blocker_named(
    url: str, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "PAUSES", (0.1,))
    apply(url, to="0002", systems=["demo"], sql_root=TREES / "seeded")
    notes = Notes()
    with locked(url, "LOCK TABLE demo.a"), pytest.raises(LockTimeoutError, match="nightly report"):
        apply(url, sql_root=TREES / "seeded", lock_timeout=0.5, progress=notes)
    assert any("nightly report" in note for note in notes.notes)
    assert any("trying again" in note for note in notes.notes)
    assert [one.id for one in apply(url, sql_root=TREES / "seeded")] == ["0003_column"]


def test_a_lock_given_up_in_time_is_no_failure(url: str) -> None:
    apply(url, to="0002", systems=["demo"], sql_root=TREES / "seeded")
    with locked(url, "LOCK TABLE demo.a") as other:
        timer = threading.Timer(0.6, other.rollback)
        timer.start()
        assert len(apply(url, sql_root=TREES / "seeded", lock_timeout=0.3)) == 1
        timer.join()


def test_a_second_runner_waits_and_says_for_whom(url: str, conn: psycopg.Connection) -> None:
    notes = Notes()
    conn.execute("SET application_name = 'first runner'")
    conn.execute("SELECT pg_advisory_lock(%s)", [lock.KEY])
    timer = threading.Timer(0.5, lambda: conn.execute("SELECT pg_advisory_unlock(%s)", [lock.KEY]))
    timer.start()
    apply(url, sql_root=TREES / "good", progress=notes)
    timer.join()
    assert len(notes.notes) == 1 and "first runner" in notes.notes[0]


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
        apply(url, sql_root=TREES / "slow")
    thread.join()
    assert ids(conn) == ["0001_a"]


def test_an_index_is_built_outside_a_transaction(url: str, conn: psycopg.Connection) -> None:
    apply(url, sql_root=TREES / "index")
    assert conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'demo.a_id_idx'::regclass").fetchone() == (
        True,
    )


def test_an_invalid_index_is_dropped_and_built_again(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 0")
    conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'demo.a_id_idx'::regclass")
    notes = Notes()
    apply(url, sql_root=TREES / "index", progress=notes)
    assert "dropping the invalid index" in notes.notes[0]
    assert conn.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'demo.a_id_idx'::regclass").fetchone() == (
        True,
    )


def test_a_valid_index_of_the_same_definition_is_taken_for_done(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 0")
    notes = Notes()
    assert len(apply(url, sql_root=TREES / "index", progress=notes)) == 1
    assert "already there" in notes.notes[0]


def test_an_index_of_another_definition_is_an_error(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "index")
    conn.execute("CREATE INDEX a_id_idx ON demo.a (id) WHERE id > 1")
    with pytest.raises(SqlError, match="already exists"):
        apply(url, sql_root=TREES / "index")


def test_a_dry_run_tells_sql_that_really_applies(url: str, conn: psycopg.Connection) -> None:
    notes = Notes()
    before = schemas(conn)
    dry_run(url, sql_root=TREES / "good", progress=notes)
    assert schemas(conn) == before
    conn.execute("".join(notes.sql).encode())
    conn.execute("RESET ALL")
    assert ids(conn) == ["0001_a", "0002_b"]
    assert apply(url, sql_root=TREES / "good") == []


def test_a_rehearsal_changes_nothing(url: str, conn: psycopg.Connection) -> None:
    before = schemas(conn)
    notes = Notes()
    assert len(rehearse(url, sql_root=TREES / "index", progress=notes)) == 2
    assert schemas(conn) == before
    assert any("without CONCURRENTLY" in note for note in notes.notes)


def test_a_backfill_in_batches_is_rehearsed_in_one(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "backfill")
    conn.execute("INSERT INTO demo.a VALUES (1), (2)")
    notes = Notes()
    assert [one.id for one in rehearse(url, sql_root=TREES / "backfill", progress=notes)] == ["0002_b"]
    assert "0002_b: rehearsed without COMMIT" in notes.notes
    assert conn.execute("SELECT note FROM demo.a").fetchall() == [(None,), (None,)]
    apply(url, sql_root=TREES / "backfill")
    assert conn.execute("SELECT note FROM demo.a").fetchall() == [("COMMIT;",), ("COMMIT;",)]


def test_a_file_that_uses_a_new_enum_value_cannot_be_rehearsed(url: str) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "enum")
    with pytest.raises(RehearsalError, match="0003_c cannot be rehearsed"):
        rehearse(url, sql_root=TREES / "enum")
    assert len(apply(url, sql_root=TREES / "enum")) == 2


def test_what_exists_already_can_be_adopted(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY)")
    conn.execute("CREATE TABLE demo.b (id integer PRIMARY KEY); CREATE TABLE demo.more ()")
    assert [one.what for one in adopt(url, sql_root=TREES / "good")] == ["adopted", "adopted"]
    assert apply(url, sql_root=TREES / "good") == []


def test_a_chain_with_a_backfill_is_adopted_whatever_comments_and_grants_say(
    url: str, conn: psycopg.Connection
) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY, note text)")
    conn.execute("COMMENT ON COLUMN demo.a.id IS 'A number.'; REVOKE INSERT ON demo.a FROM CURRENT_USER")
    assert [one.id for one in adopt(url, sql_root=TREES / "backfill")] == ["0001_a", "0002_b"]
    assert conn.execute("SELECT obj_description('demo.a'::regclass)").fetchone() == (None,)


def test_platform_is_applied_where_another_system_is_adopted(
    url: str, conn: psycopg.Connection, tree: CopyTree
) -> None:
    root = tree("good")
    (root / "migrations/platform").mkdir()
    (root / "migrations/platform/0001_p.sql").write_text("CREATE TABLE p (id integer PRIMARY KEY);\n")
    (root / "migrations/platform/0001_p.rollback.sql").write_text("DROP TABLE p;\n")
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id integer PRIMARY KEY)")
    done = adopt(url, ["demo"], to="0001", sql_root=root)
    assert [(one.id, one.what) for one in done] == [("0001_p", "applied"), ("0001_a", "adopted")]
    assert ids(conn, "platform") == ["0001_p"]


def test_what_differs_is_not_adopted(url: str, conn: psycopg.Connection) -> None:
    conn.execute("CREATE SCHEMA demo; CREATE TABLE demo.a (id bigint PRIMARY KEY)")
    with pytest.raises(DriftError) as caught:
        adopt(url, sql_root=TREES / "good")
    assert "table a: column id: type is bigint, the files make it integer" in caught.value.detail
    assert "table b: missing" in caught.value.detail
    assert ids(conn) == []


def test_a_history_that_somebody_else_may_write_is_not_trusted(url: str, conn: psycopg.Connection) -> None:
    apply(url, ["demo"], to="0001", sql_root=TREES / "good")
    conn.execute("GRANT UPDATE (rollback_text) ON demo._companion_ledger TO pg_monitor")
    with pytest.raises(LedgerError) as caught:
        apply(url, sql_root=TREES / "good")
    assert caught.value.detail == ["pg_monitor may write to demo._companion_ledger"]


@pytest.mark.parametrize(
    "address",
    ["nonsense", "postgresql://u:s3cret@[", "postgresql://postgres:s3cret@127.0.0.1:1/db", "host=/nowhere dbname=x"],
)
def test_a_wrong_address_is_explained_without_its_password(address: str) -> None:
    with pytest.raises(CompanionError) as caught:
        apply(address, sql_root=TREES / "good")
    assert "s3cret" not in str(caught.value.as_dict())


def test_no_permission_is_explained(url: str, conn: psycopg.Connection) -> None:
    with psycopg.connect(url, options="-c role=pg_monitor") as weak, pytest.raises(DatabaseError, match="42501"):
        apply(weak, sql_root=TREES / "good")
    assert ids(conn) == []


def test_status_is_the_same_with_and_without_psycopg(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(url, sql_root=TREES / "two_systems")
    quickly = status(url, sql_root=TREES / "two_systems")
    monkeypatch.setattr(quick, "ask", lambda *_: None)
    assert status(url, sql_root=TREES / "two_systems") == quickly


def test_files_may_go_once_applied(url: str, tree: CopyTree) -> None:
    root = tree("good")
    apply(url, sql_root=root)
    shutil.rmtree(root / "functions")
    (one,) = status(url, sql_root=root)
    assert one.state.missing == ["0002_b"]
