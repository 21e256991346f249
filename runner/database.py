"""Connections: which database, how a session is prepared, and how a whole file is sent.

A file is sent as `DO … EXECUTE <text>`: in one message, unsplit, without parameters. The server itself then refuses a
COMMIT inside it and reports the position of an error relative to the file.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

os.environ.setdefault("PSYCOPG_IMPL", "binary")

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runner import pooler
from runner.errors import DatabaseError, SqlError, UsageError
from runner.text import copy_command, transaction_command
from runner.tree import PLATFORM

Database: TypeAlias = "str | psycopg.Connection[Any]"

API_ROLES = ("anon", "authenticated", "service_role")
OLDEST_SERVER = 150000
RETRIED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

# A dead network is noticed within about a minute, a dead client by the server within a second.
_DEFAULTS = {
    "application_name": "companion",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}

_PATH_SQL = """
SELECT coalesce(array_agg(DISTINCT n.nspname::text), '{}')
    FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = ANY(%s)
"""

# Who may create in a schema could put an object of his own where a file expects one of ours.
_CREATORS_SQL = """
SELECT n.nspname, coalesce(r.rolname, 'PUBLIC')
FROM pg_namespace AS n
CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE n.nspname = ANY(%s) AND a.privilege_type = 'CREATE' AND a.grantee = 0
UNION
SELECT n.nspname, r.rolname
FROM pg_namespace AS n CROSS JOIN pg_roles AS r
WHERE n.nspname = ANY(%s) AND r.rolname = ANY(%s) AND has_schema_privilege(r.oid, n.oid, 'CREATE')
ORDER BY 1, 2
"""


# The last line of a context: the DO block around the file.
_OUR_BLOCK = re.compile(r"PL/pgSQL function inline_code_block line \d+ at \w+\Z")


@dataclass
class Session:
    """A connection in autocommit mode and what is known about it."""

    conn: psycopg.Connection[Any]
    user: str
    session_user: str
    pid: int
    conninfo: str = field(repr=False)

    def fetch(self, query: str) -> str:
        """Return the one text value of a query."""
        return str(fetch_one(self.conn, query)[0])


def redact(text: str, conninfo: str | None = None) -> str:
    """Return `text` without passwords: in URLs, in key=value strings, and the password of `conninfo` itself."""
    text = re.sub(r"(://[^:@/\s]*:)[^@/\s]+@", r"\1***@", text)
    text = re.sub(r"(?i)\b(password|passwd|pgpassword)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", r"\1=***", text)
    secret = _parse(conninfo).get("password") if conninfo else None
    return text.replace(secret, "***") if secret and len(secret) > 2 else text


def display_url(conninfo: str) -> str:
    """Return `conninfo` fit for the screen: as given, password hidden."""
    return redact(conninfo, conninfo)


def _parse(conninfo: str) -> dict[str, str]:
    try:
        return {key: str(value) for key, value in conninfo_to_dict(conninfo).items()}
    except psycopg.Error:
        # libpq repeats the string, password and all, in its message: say it in our own words.
        raise UsageError(
            "cannot read the database address",
            hint="write postgresql://user:password@host:5432/database or host=… dbname=…",
        ) from None


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """Return an autocommit connection; raise UsageError for a bad address, DatabaseError when it does not work."""
    params = _DEFAULTS | _parse(conninfo) | {"client_encoding": "utf8"}
    try:
        conn = psycopg.connect(make_conninfo("", **params), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise DatabaseError(
            "cannot connect: " + redact(str(error).strip().removeprefix("connection failed: "), conninfo),
            hint="check host, port, database, user and password of the address",
        ) from None
    if conn.info.server_version < OLDEST_SERVER:
        conn.close()
        raise DatabaseError(f"PostgreSQL {conn.info.server_version // 10000} is too old: 15 or later is needed")
    return conn


@contextmanager
def session(database: Database) -> Iterator[Session]:
    """Open a session on `database`, a connection string or a psycopg connection.

    A string's connection is closed at the end. A given connection must be idle; it is used in autocommit mode and its
    session settings are reset. Server and network failures inside the block become DatabaseError; UsageError is raised
    where a pooler hands server sessions on between transactions.
    """
    conn = connect(database) if isinstance(database, str) else database
    conninfo = database if isinstance(database, str) else make_conninfo(conn.info.dsn, password=conn.info.password)
    autocommit = conn.autocommit
    try:
        conn.autocommit = True
        user, session_user, pid = fetch_one(conn, "SELECT current_user, session_user, pg_backend_pid()")
        if pooler.is_pooled(conn, pid):
            _refuse_shared_sessions(conn, pid, conninfo)
        yield Session(conn, user, session_user, pid, conninfo)
    except psycopg.Error as error:
        raise explain(error, conninfo) from error
    finally:
        if isinstance(database, str):
            conn.close()
        elif not conn.closed:
            conn.execute("ROLLBACK" if conn.info.transaction_status else "SELECT 1")
            conn.autocommit = autocommit


def _refuse_shared_sessions(conn: psycopg.Connection[Any], pid: int, conninfo: str) -> None:
    another = make_conninfo(conninfo, connect_timeout=max(2, round(pooler.PATIENCE)))
    if pooler.shares_sessions(conn, pid, lambda: connect(another)):
        raise UsageError(
            "the address leads to a connection pooler that hands server sessions on between transactions"
            " (PgBouncer in transaction mode); nothing was changed",
            hint="give the address of the server itself, or of a pooler in session mode",
        )


def explain(error: psycopg.Error, conninfo: str | None = None) -> DatabaseError:
    """Return the DatabaseError that says what a psycopg error outside of any file means."""
    if error.sqlstate is None:
        return DatabaseError(
            "the connection to the server was lost: " + redact(str(error).strip(), conninfo),
            hint="what was committed is kept, the rest was undone; run `companion status`, then the command again",
        )
    hints = {
        "42501": "connect as a role that may do this, or have it granted",
        "53200": "raise max_locks_per_transaction, or name one system at a time",
        "53100": "the server's disk is full; free some space and run the command again",
        "25006": "this server is read-only; connect to the primary",
    }
    message = redact(error.diag.message_primary or str(error).strip(), conninfo)
    detail = [error.diag.message_detail] if error.diag.message_detail else []
    hint = error.diag.message_hint or hints.get(error.sqlstate)
    return DatabaseError(f"{message} (SQLSTATE {error.sqlstate})", detail=detail, hint=hint)


def fetch_one(
    conn: psycopg.Connection[Any], query: str, params: Sequence[Any] | Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """Run a query that returns a row, and return it."""
    row = conn.execute(query.encode(), params).fetchone()
    assert row is not None
    return tuple(row)


def identifier(*names: str) -> str:
    """Return the quoted, dotted identifier."""
    return sql.Identifier(*names).as_string(None)


def literal(text: str) -> str:
    """Return `text` as an SQL string, whatever standard_conforming_strings is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def search_path(session: Session, system: str, schema: str, requires: Sequence[str]) -> list[str]:
    """Return the schemas a file of `system` sees: the instance, platform, those of needed extensions, pg_temp."""
    extensions: list[str] = []
    if requires:
        (extensions,) = fetch_one(session.conn, _PATH_SQL, [list(requires)])
        extensions = sorted(extensions) or ["extensions"]
    shared = [] if system == PLATFORM else [PLATFORM]
    return list(dict.fromkeys([schema, *shared, *extensions, "pg_temp"]))


def check_path(session: Session, path: Sequence[str]) -> None:
    """Raise DatabaseError unless the instance is where objects go and no API role may create on the path.

    Called inside the transaction that has `path` set.
    """
    (current,) = fetch_one(session.conn, "SELECT current_schema()")
    if current != path[0]:
        raise DatabaseError(
            f"schema {path[0]} cannot be used: new objects would go to {current}",
            hint=f"grant USAGE and CREATE on schema {path[0]} to {session.user}",
        )
    schemas = list(path)
    creators = session.conn.execute(_CREATORS_SQL.encode(), [schemas, schemas, list(API_ROLES)]).fetchall()
    # What PUBLIC may do, every role may do: naming it is enough.
    open_to_all = {schema for schema, role in creators if role == "PUBLIC"}
    creators = [(schema, role) for schema, role in creators if role == "PUBLIC" or schema not in open_to_all]
    if creators:
        raise DatabaseError(
            "an API role may create objects in a schema on the search path",
            detail=[f"{role} may CREATE in schema {schema}" for schema, role in creators],
            hint="; ".join(f"REVOKE CREATE ON SCHEMA {identifier(s)} FROM {_role(r)}" for s, r in creators),
        )


def _role(name: str) -> str:
    return name if name == "PUBLIC" else identifier(name)


def settings(path: Sequence[str], lock_timeout: float, *, local: bool = True) -> str:
    """Return the statements that bring a session, or with `local` a transaction, to a known state.

    Whatever an earlier file left behind is reset. `lock_timeout` is in seconds.
    """
    scope = "SET LOCAL" if local else "SET"
    return (
        "RESET ALL;\n"
        f"{scope} search_path = {', '.join(identifier(name) for name in path)};\n"
        f"{scope} lock_timeout = {round(lock_timeout * 1000)};\n"
        f"{scope} statement_timeout = 0;\n"
        f"{scope} idle_in_transaction_session_timeout = 0;\n"
        f"{scope} client_connection_check_interval = 1000;\n"
    )


def wrap(session: Session, text: str) -> str:
    """Return the one statement that makes the server execute the whole of `text` and look who we are afterwards."""
    inner, outer = _tag(text), _tag(text)
    return (
        f"DO {outer}BEGIN EXECUTE {inner}{text}{inner};\n"
        f"IF (current_user, session_user) <> ({literal(session.user)}, {literal(session.session_user)}) THEN\n"
        "RAISE 'the file left the role % behind', current_user"
        " USING HINT = 'set a role with SET LOCAL ROLE and end the file with RESET ROLE'; END IF;\n"
        f"END{outer};\n"
    )


def _tag(text: str) -> str:
    while (tag := f"$companion_{secrets.token_hex(4)}$") in text:
        pass
    return tag


def send(session: Session, before: str, text: str, after: str = "", *, name: str, path: Path | None) -> None:
    """Execute the statements `before`, the file `text` and the statements `after` in one message, in a transaction.

    Raises SqlError for what the server has against the file, DatabaseError for a lost connection; lets lock timeouts
    and deadlocks through as psycopg errors, for those are tried again.
    """
    with file_errors(name=name, path=path, text=text):
        session.conn.execute((before + wrap(session, text) + after).encode())


def send_alone(session: Session, text: str, *, name: str, path: Path | None) -> None:
    """Execute `text`, which must be one statement, outside any transaction.

    `binary` selects the extended protocol, in which the server refuses a second statement.
    """
    with file_errors(name=name, path=path, text=text, whole=True):
        session.conn.execute(text.encode(), binary=True)


@contextmanager
def file_errors(*, name: str, path: Path | None, text: str, whole: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside the block into an error of the file `text`, except lock timeouts and deadlocks.

    `whole` says that `text` is all that is sent, so that positions in the message are positions in the file.
    """
    try:
        yield
    except RETRIED:
        raise
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith("57P"):
            raise DatabaseError(
                f"the connection to the server was lost while {name} ran",
                hint="what was committed is kept, the rest was undone; run `companion status`, then the command again",
            ) from error
        raise _sql_error(error, name=name, path=path, text=text, whole=whole) from error


def _sql_error(error: psycopg.Error, *, name: str, path: Path | None, text: str, whole: bool) -> SqlError:
    """Return the SqlError for what the server said while it executed `text`."""
    diag = error.diag
    position: int | None = None
    if diag.internal_query == text and diag.internal_position:
        position = int(diag.internal_position)
    elif whole and diag.statement_position:
        position = int(diag.statement_position)
    context = _OUR_BLOCK.sub("", (diag.context or "").replace(f'SQL statement "{text}"', "")).strip() or None
    message, hint = diag.message_primary or str(error).strip(), None
    if error.sqlstate in ("0A000", "2D000") and "transaction" in message:
        message, hint = "a file cannot begin or end a transaction itself", "remove the statement"
        found = transaction_command(text)
        position = None if found is None else found + 1
    elif error.sqlstate == "0A000" and (found := copy_command(text)) is not None:
        position = found + 1
    return SqlError(
        message,
        name=name,
        path=path,
        text=text,
        position=position,
        sqlstate=error.sqlstate,
        server_detail=diag.message_detail,
        server_hint=diag.message_hint,
        context=context,
        hint=hint or "nothing of this file was applied; correct it and run the command again",
    )
