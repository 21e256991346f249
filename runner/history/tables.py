"""What a database remembers: yoyo's own tables and the ledger, in the instance's schema.

yoyo's tables keep its format, so that its tools can read them. The ledger adds, per file, the digest of its bytes and
both texts. Recorded text is SQL that will run with the caller's rights, so the tables are closed to everybody but
their owner, and `check_trust` looks at owner, grants and digest before any of it is used.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from yoyo.migrations import get_migration_hash

from runner.errors import LedgerError
from runner.files.text import inserts
from runner.files.tree import File, sha256
from runner.history.ledger import LEDGER, TABLES, Entry
from runner.postgres.session import API_ROLES, Session, fetch_one, identifier, literal

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
    duration_ms integer,
    applied_by text NOT NULL DEFAULT session_user,
    adopted boolean NOT NULL,
    rows_inserted jsonb NOT NULL,
    begun jsonb
);
COMMENT ON TABLE {schema}._companion_ledger IS 'Companion''s ledger: one row per applied file, with its full texts';
COMMENT ON COLUMN {schema}._companion_ledger.duration_ms IS 'Null while a file outside transactions is only begun.';
COMMENT ON COLUMN {schema}._companion_ledger.begun IS
'What there was when such a file, or its rollback, was begun; null unless it is under way, or was cut off.';
"""

_COMMENT_SQL = "SELECT obj_description(to_regnamespace(%s), 'pg_namespace')"
_ROLES_SQL = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"

# In the message that holds the file too, statement_timestamp() is when the file was sent.
_RECORD_SQL = """\
INSERT INTO {schema}._companion_ledger
    (id, system, position, sha256, apply_text, rollback_text, rollback_sha256, duration_ms, adopted, rows_inserted)
VALUES ({id}, {system}, {position}, '{sha256}', {text}, {rollback_text}, '{rollback_sha256}',
    {duration}, {adopted}, {rows_inserted});
INSERT INTO {schema}._yoyo_migration VALUES ('{hash}', {id}, clock_timestamp() AT TIME ZONE 'UTC');
"""
_BEGIN_SQL = """\
INSERT INTO {schema}._companion_ledger
    (id, system, position, sha256, apply_text, rollback_text, rollback_sha256, adopted, rows_inserted, begun)
VALUES ({id}, {system}, {position}, '{sha256}', {text}, {rollback_text}, '{rollback_sha256}', false, '{{}}', {state});
"""
_BEGIN_UNDO_SQL = "UPDATE {schema}._companion_ledger SET begun = {state} WHERE id = {id};\n"
_BEGUN_SQL = "SELECT begun::text FROM {schema}._companion_ledger WHERE id = %s AND begun IS NOT NULL"
_END_BEGUN_SQL = "DELETE FROM {schema}._companion_ledger WHERE id = {id} AND duration_ms IS NULL;\n"
_APPLIED_SQL = "SELECT FROM {schema}._companion_ledger WHERE id = %s AND duration_ms IS NOT NULL"
_DURATION = "extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000"
_FORGET_SQL = """\
DELETE FROM {schema}._companion_ledger WHERE id = {id};
DELETE FROM {schema}._yoyo_migration WHERE migration_hash = '{hash}';
"""
_LOG_SQL = """\
INSERT INTO {schema}._yoyo_log VALUES
    (gen_random_uuid(), '{hash}', {id}, '{operation}', {user}, {host}, NULL, clock_timestamp() AT TIME ZONE 'UTC');
"""
_ROWS_INSERTED = """(
    SELECT coalesce(jsonb_object_agg(c.relname, pg_stat_get_xact_tuples_inserted(c.oid)), '{{}}')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = {schema} AND c.relkind = 'r' AND c.relname NOT IN ({history})
        AND pg_stat_get_xact_tuples_inserted(c.oid) > 0
)"""

# Owned by us (or, superuser to superuser, by another superuser), an ordinary table, nobody else may write, no code.
_TRUST_SQL = """
SELECT c.relname,
    pg_get_userbyid(c.relowner),
    c.relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)
        OR (SELECT bool_and(rolsuper) FROM pg_roles WHERE rolname = current_user OR oid = c.relowner),
    c.relkind = 'r' AND c.relrowsecurity AND NOT c.relhasrules,
    EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid) OR EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid),
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


def distrust(session: Session, schema: str, tables: Collection[str], *, with_code: bool = False) -> list[str]:
    """Return why others than us may have had a hand in what these tables of a schema say.

    Triggers and policies are such a reason too, unless the tables come `with_code` of ours.
    """
    rows = session.conn.execute(_TRUST_SQL.encode(), [schema, list(tables)]).fetchall()
    problems = [f"{schema}.{name} is missing" for name in {*tables} - {row[0] for row in rows}]
    for name, owner, ours, plain, code, writers in rows:
        if not ours:
            problems.append(f"{schema}.{name} belongs to {owner}, not to {session.user}")
        if not plain or (code and not with_code):
            problems.append(f"{schema}.{name} has lost row security, or has gained triggers or policies")
        if writers:
            problems.append(f"{', '.join(writers)} may write to {schema}.{name}")
    return problems


def rows_inserted(schema: str) -> str:
    """Return an SQL expression: how many rows the open transaction has inserted, by table of `schema`, as JSON."""
    return _ROWS_INSERTED.format(schema=literal(schema), history=", ".join(literal(table) for table in TABLES))


@dataclass
class History:
    """The history of one instance. What changes it is returned as SQL, to travel with the file it is about."""

    session: Session
    system: str
    schema: str

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
            comment = literal(schema_comment(self.system))
            made.insert(0, f"CREATE SCHEMA {schema};\nCOMMENT ON SCHEMA {schema} IS {comment};\n")
        return "".join(made)

    def record_sql(self, file: File, milliseconds: int | None = None, *, adopted: bool = False) -> str:
        """Return what writes that a file is applied.

        It belongs into the message that holds the file; when it stands in another, that took `milliseconds`.
        """
        common = {"schema": identifier(self.schema), "id": literal(file.id), "hash": get_migration_hash(file.id)}
        record = _RECORD_SQL.format(
            **common,
            **self._contents(file),
            duration=_DURATION if milliseconds is None else milliseconds,
            adopted=adopted,
            rows_inserted=rows_inserted(self.schema) if inserts(file.text) and not adopted else "'{}'",
        )
        if milliseconds is not None:
            record = _END_BEGUN_SQL.format(**common) + record
        return record + _LOG_SQL.format(**common, operation="mark" if adopted else "apply", **_who())

    def begin_sql(self, file: File, state: str, *, undo: bool) -> str:
        """Return what writes that a file outside transactions, or its rollback, is begun, and how things were then."""
        return (_BEGIN_UNDO_SQL if undo else _BEGIN_SQL).format(
            schema=identifier(self.schema), id=literal(file.id), state=literal(state), **self._contents(file)
        )

    def _contents(self, file: File) -> dict[str, Any]:
        """Return, as SQL, what a row of the ledger holds of a file, whether it is begun or applied."""
        return {
            "system": literal(self.system),
            "position": file.number,
            "sha256": file.sha256,
            "text": literal(file.text),
            "rollback_text": literal(file.rollback_text),
            "rollback_sha256": file.rollback_sha256,
        }

    def begun(self, file: File) -> str | None:
        """Return how things were when an attempt at a file began that was not brought to its end; None without one."""
        sql = _BEGUN_SQL.format(schema=identifier(self.schema))
        row = self.session.conn.execute(sql.encode(), [file.id]).fetchone()
        return row[0] if row else None

    def is_applied(self, file: File) -> bool:
        """Say whether a file is recorded as applied."""
        if fetch_one(self.session.conn, "SELECT to_regclass(%s)", [identifier(self.schema, LEDGER)])[0] is None:
            return False
        sql = _APPLIED_SQL.format(schema=identifier(self.schema))
        return self.session.conn.execute(sql.encode(), [file.id]).fetchone() is not None

    def forget_sql(self, file: File) -> str:
        """Return what writes that a file is rolled back."""
        common = {"schema": identifier(self.schema), "id": literal(file.id), "hash": get_migration_hash(file.id)}
        return (_FORGET_SQL + _LOG_SQL).format(**common, operation="rollback", **_who())

    def drop_sql(self) -> str:
        """Return the statement that removes the history tables."""
        return f"DROP TABLE {', '.join(identifier(self.schema, table) for table in TABLES)};\n"

    def made_schema(self) -> bool:
        """Say whether the runner made the schema, for this system alone."""
        (comment,) = fetch_one(self.session.conn, _COMMENT_SQL, [identifier(self.schema)])
        return bool(comment == schema_comment(self.system))

    def check_trust(self, entries: Sequence[Entry] = ()) -> None:
        """Raise LedgerError unless only we can have written the history and every recorded text is as recorded."""
        problems = distrust(self.session, self.schema, TABLES)
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
    return {"user": literal(login), "host": literal(socket.gethostname())}
