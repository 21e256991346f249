"""The history tables: their form, and whom they are closed to."""

from __future__ import annotations

import psycopg
import pytest
from yoyo import get_backend, internalmigrations
from yoyo.migrations import get_migration_hash

from runner.errors import (
    LedgerError,
)
from runner.history import ledger
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.runner.trees import TREES


def test_the_history_is_in_yoyos_own_format(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "good")
    with psycopg.connect(url) as plain:
        info = plain.info
        address = f"postgresql+psycopg://{info.user}@/{info.dbname}?host={info.host}&port={info.port}&schema=demo"
    backend = get_backend(address)
    assert internalmigrations.get_current_version(backend) == max(internalmigrations.schema_versions)
    assert list(backend.get_applied_migration_hashes()) == [get_migration_hash(id) for id in ("0001_a", "0002_b")]
    backend.connection.close()
    logged = conn.execute("SELECT migration_id, operation FROM demo._yoyo_log ORDER BY created_at_utc").fetchall()
    assert logged == [("0001_a", "apply"), ("0002_b", "apply")]


def test_the_history_is_closed_to_api_roles_whatever_the_default_privileges(url: str, conn: psycopg.Connection) -> None:
    for role in ("anon", "authenticated", "service_role"):
        conn.execute(f"DO $$BEGIN CREATE ROLE {role}; EXCEPTION WHEN duplicate_object THEN NULL; END$$".encode())
    conn.execute("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO anon, authenticated, service_role, PUBLIC")
    apply(Target(url, ["demo"]), sql_root=TREES / "good", to="0001")
    for table in ledger.TABLES:
        found = conn.execute(
            "SELECT relrowsecurity, (SELECT count(*) FROM aclexplode(relacl) WHERE grantee <> relowner)"
            " FROM pg_class WHERE oid = to_regclass(%s)",
            [f"demo.{table}"],
        ).fetchone()
        assert found == (True, 0)


def test_a_history_that_somebody_else_may_write_is_not_trusted(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url, ["demo"]), to="0001", sql_root=TREES / "good")
    conn.execute("GRANT UPDATE (rollback_text) ON demo._companion_ledger TO pg_monitor")
    with pytest.raises(LedgerError) as caught:
        apply(Target(url), sql_root=TREES / "good")
    assert caught.value.detail == ["pg_monitor may write to demo._companion_ledger"]


def test_changed_recorded_text_is_not_run(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "good")
    conn.execute("UPDATE demo._companion_ledger SET rollback_text = 'DROP TABLE a' WHERE id = '0002_b'")
    with pytest.raises(LedgerError) as caught:
        rollback(Target(url))
    assert caught.value.detail == ["the recorded rollback of 0002_b is not the one that was recorded"]


def test_a_ledger_of_somebody_else_is_not_run(url: str, conn: psycopg.Connection) -> None:
    apply(Target(url), sql_root=TREES / "good")
    conn.execute("ALTER TABLE demo._companion_ledger OWNER TO pg_monitor")
    with pytest.raises(LedgerError, match="cannot be trusted"):
        rollback(Target(url), everything=True)
