"""What a database remembers: yoyo's own tables and the ledger, in the instance's schema.

yoyo's tables keep its format, so that its tools can read them. The ledger adds, per file, the digest of its bytes and
both texts. Recorded text is SQL that will run with the caller's rights, so the tables are closed to everybody but
their owner, and `check_trust` looks at owner, grants and digest before any of it is used.
"""

from __future__ import annotations

import getpass
import json
import socket
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from yoyo import exceptions
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.migrations import Migration, MigrationList

from runner.database import API_ROLES, Session, identifier
from runner.errors import LedgerError
from runner.ledger import LEDGER, TABLES, Entry
from runner.tree import Chain, File, sha256

_CREATE_SQL = """
CREATE TABLE {schema}._yoyo_migration (
    migration_hash varchar(64) PRIMARY KEY,
    migration_id varchar(255),
    applied_at_utc timestamp
);
CREATE TABLE {schema}._yoyo_log (
    id varchar(36) PRIMARY KEY,
    migration_hash varchar(64),
    migration_id varchar(255),
    operation varchar(10),
    username varchar(255),
    hostname varchar(255),
    comment varchar(255),
    created_at_utc timestamp
);
CREATE TABLE {schema}._yoyo_version (
    version int PRIMARY KEY,
    installed_at_utc timestamp
);
INSERT INTO {schema}._yoyo_version VALUES (1, now() AT TIME ZONE 'UTC'), (2, now() AT TIME ZONE 'UTC');
CREATE TABLE {schema}._companion_ledger (
    id text PRIMARY KEY,
    system text NOT NULL,
    position integer NOT NULL UNIQUE,
    sha256 text NOT NULL,
    apply_text text NOT NULL,
    rollback_text text NOT NULL,
    rollback_sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration_ms integer NOT NULL,
    applied_by text NOT NULL DEFAULT session_user,
    adopted boolean NOT NULL,
    rows_inserted jsonb NOT NULL
);
COMMENT ON TABLE {schema}._companion_ledger IS 'Companion''s ledger: one row per applied file, with its full texts';
"""

_ROLES_SQL = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"

_RECORD_SQL = """
INSERT INTO {schema}._companion_ledger
    (id, system, position, sha256, apply_text, rollback_text, rollback_sha256, duration_ms, adopted, rows_inserted)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

# Owned by us (or, superuser to superuser, by another superuser), an ordinary table, nobody else may write, no code.
_TRUST_SQL = """
SELECT c.relname,
    pg_get_userbyid(c.relowner),
    c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
        OR (SELECT bool_and(rolsuper) FROM pg_roles WHERE rolname = current_user OR oid = c.relowner),
    c.relkind = 'r' AND c.relrowsecurity AND NOT c.relhasrules
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid),
    ARRAY(
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END
        FROM (
            SELECT c.relacl AS acl UNION ALL SELECT attacl FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0
        ) AS l CROSS JOIN LATERAL aclexplode(l.acl) AS a
        WHERE a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
    )
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relname = ANY(%s)
"""


class SqlMigration(Migration):  # type: ignore[misc]
    """A file as yoyo's ordering sees it; its text is never split into steps."""

    def __init__(self, file: File) -> None:
        """Take the file, from disk or from the ledger."""
        super().__init__(file.id, str(file.path), None)
        self.file = file

    def load(self) -> None:
        """Resolve the dependencies among the migrations of the same chain."""
        if self.loaded:
            return
        known = Migration._Migration__all_migrations
        missing = [id for id in self.file.depends if id not in known]
        if missing:
            raise exceptions.BadMigration(f"{self.id} depends on {missing[0]}, which is not in the chain")
        self._depends = {known[id] for id in self.file.depends}
        self.use_transactions = self.file.transactional
        self.steps: list[object] = []


def migrations(files: Iterable[File]) -> MigrationList:
    """Return yoyo's list of one chain. yoyo's registry is global to the process: it is cleared for each chain."""
    Migration._Migration__all_migrations.clear()
    made = MigrationList([SqlMigration(file) for file in files])
    for migration in made:
        migration.load()
    return made


class _Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo's backend on our connection and in our schema; it takes no lock and makes no table itself."""

    _internal_schema_updated = True

    def __init__(self, conn: psycopg.Connection[Any], schema: str) -> None:
        self._ours = conn
        self._writer: _Writer | None = None
        super().__init__(None, "_yoyo_migration")
        for name in ("migration_table", "log_table", "version_table"):
            setattr(self, f"{name}_quoted", identifier(schema, getattr(self, name)))

    def connect(self, dburi: None) -> psycopg.Connection[Any]:
        return self._ours

    def cursor(self) -> Any:
        return self._writer or super().cursor()

    @contextmanager
    def writing(self) -> Iterator[_Writer]:
        """Collect the statements of the block instead of sending them."""
        self._writer = _Writer(self._ours)
        try:
            yield self._writer
        finally:
            self._writer = None

    def get_log_data(self, migration: Any = None, operation: str = "apply") -> dict[str, Any]:
        """Return a row of yoyo's log; unlike yoyo's own, without a DNS look-up that may block for seconds."""
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration.id,
            "migration_hash": migration.hash,
            **_who(),
            "created_at_utc": datetime.now(timezone.utc).replace(tzinfo=None),
            "operation": operation,
        }


class _Writer:
    """Stands where yoyo expects a cursor, and writes its statements down instead of sending them."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._mogrify = psycopg.ClientCursor(conn).mogrify
        self.written: list[str] = []

    def execute(self, query: str, params: Any = None) -> None:
        self.written.append(self._mogrify(query, params).strip() + ";\n")


@dataclass
class History:
    """The history of one instance. What changes it is returned as SQL, to travel with the file it is about."""

    session: Session
    system: str
    schema: str

    def __post_init__(self) -> None:
        self._backend = _Backend(self.session.conn, self.schema)

    def create_sql(self, *, with_schema: bool) -> str:
        """Return the statements that make the history tables and, `with_schema`, the schema they are in."""
        schema = identifier(self.schema)
        found = self.session.conn.execute(_ROLES_SQL.encode(), [list(API_ROLES)]).fetchall()
        closed = ", ".join(["PUBLIC", *(identifier(role) for (role,) in found)])
        made = [_CREATE_SQL.format(schema=schema)]
        for table in TABLES:
            made.append(f"ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY;\n")
            made.append(f"REVOKE ALL ON TABLE {schema}.{table} FROM {closed};\n")
        if with_schema:
            comment = sql.Literal(schema_comment(self.system)).as_string(None)
            made.insert(0, f"CREATE SCHEMA {schema};\nCOMMENT ON SCHEMA {schema} IS {comment};\n")
        return "".join(made)

    def to_apply(self, chain: Chain) -> list[SqlMigration]:
        """Return what of `chain` is not applied, in yoyo's order."""
        return list(self._backend.to_apply(migrations(chain.files)))

    def to_rollback(self, entries: Sequence[Entry]) -> list[SqlMigration]:
        """Return the recorded files, last applied first, in yoyo's order."""
        return list(self._backend.to_rollback(migrations(entry.file for entry in entries)))

    def record_sql(
        self,
        migration: SqlMigration,
        milliseconds: int,
        *,
        adopted: bool = False,
        rows_inserted: dict[str, int] | None = None,
    ) -> str:
        """Return what writes that a file is applied: the ledger's row, yoyo's row, yoyo's log."""
        file = migration.file
        with self._backend.writing() as writer:
            writer.execute(
                _RECORD_SQL.format(schema=identifier(self.schema)),
                [
                    file.id, self.system, file.number, file.sha256, file.text, file.rollback_text,
                    file.rollback_sha256, milliseconds, adopted, json.dumps(rows_inserted or {}),
                ],
            )  # fmt: skip
            self._backend.mark_one(migration, log=False)
            self._backend.log_migration(migration, "mark" if adopted else "apply")
        return "".join(writer.written)

    def forget_sql(self, migration: SqlMigration) -> str:
        """Return what writes that a file is rolled back."""
        with self._backend.writing() as writer:
            writer.execute(f"DELETE FROM {identifier(self.schema, LEDGER)} WHERE id = %s", [migration.id])
            self._backend.unmark_one(migration, log=False)
            self._backend.log_migration(migration, "rollback")
        return "".join(writer.written)

    def drop_sql(self) -> str:
        """Return the statement that removes the history tables."""
        return f"DROP TABLE {', '.join(identifier(self.schema, table) for table in TABLES)};\n"

    def check_trust(self, entries: Sequence[Entry] = ()) -> None:
        """Raise LedgerError unless only we can have written the history and every recorded text is as recorded."""
        rows = self.session.conn.execute(_TRUST_SQL.encode(), [self.schema, list(TABLES)]).fetchall()
        problems = [f"{self.schema}.{name} is missing" for name in set(TABLES) - {row[0] for row in rows}]
        for name, owner, ours, plain, writers in rows:
            if not ours:
                problems.append(f"{self.schema}.{name} belongs to {owner}, not to {self.session.user}")
            if not plain:
                problems.append(f"{self.schema}.{name} has lost row security, or has gained triggers or policies")
            if writers:
                problems.append(f"{', '.join(writers)} may write to {self.schema}.{name}")
        for entry in entries:
            if sha256(entry.file.rollback_text.encode()) != entry.rollback_sha256:
                problems.append(f"the recorded rollback of {entry.id} is not the one that was recorded")
            if sha256(entry.file.text.encode()) != entry.sha256:
                problems.append(f"the recorded text of {entry.id} is not the one that was recorded")
        if problems:
            raise LedgerError(
                f"the history in schema {self.schema} cannot be trusted; nothing was changed",
                detail=sorted(problems),
                hint="connect as the role that applied the files, and take away what others were granted",
            )


def schema_comment(system: str) -> str:
    """Return the comment that marks a schema as made by the runner."""
    return f"Companion: {system}"


@cache
def _who() -> dict[str, str]:
    try:
        login = getpass.getuser()
    except (OSError, KeyError, ImportError):
        login = "unknown"
    return {"username": login, "hostname": socket.gethostname()}
