"""Sessions: connecting, what is known of a connection, the state it is brought to, and what its failures mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

os.environ.setdefault("PSYCOPG_IMPL", "binary")

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from runner.errors import DatabaseError, UsageError
from runner.postgres import embedded, pooler
from runner.postgres.address import parse, redact, variables
from runner.postgres.settings import otherwise

Database: TypeAlias = "str | psycopg.Connection[Any]"

API_ROLES = ("anon", "authenticated", "service_role")
OLDEST_SERVER = 150000
RETRIED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

# A dead network is noticed within about a minute, a dead client by the server within a second. Beside each parameter
# is the variable of libpq that may say otherwise.
_DEFAULTS = {
    "application_name": ("PGAPPNAME", "companion"),
    "connect_timeout": ("PGCONNECT_TIMEOUT", "10"),
    "keepalives_idle": ("", "30"),
    "keepalives_interval": ("", "10"),
    "keepalives_count": ("", "3"),
}


@dataclass
class Session:
    """A connection in autocommit mode and what is known about it."""

    conn: psycopg.Connection[Any]
    user: str
    session_user: str
    pid: int
    conninfo: str = field(repr=False)

    @property
    def about(self) -> str:
        """Which database of which server this is, and as whom we are there."""
        info = self.conn.info
        place = f"socket {info.host}, port {info.port}" if info.host.startswith("/") else f"{info.host}:{info.port}"
        where = "the embedded server" if embedded.is_address(self.conninfo) else place
        version = self.conn.info.parameter_status("server_version")
        return f"database {info.dbname} on {where} as {self.user} (PostgreSQL {version})"

    def fetch(self, query: str) -> str:
        """Return the one text value of a query."""
        return str(fetch_one(self.conn, query)[0])

    def settings(self, path: Sequence[str], lock_timeout: float, *, local: bool = True) -> str:
        """Return the statements that bring the session, or with `local` its transaction, to a known state.

        Whatever an earlier file left behind is reset. `lock_timeout` is in seconds.
        """
        scope = "SET LOCAL" if local else "SET"
        values = {
            **{name: literal(value) for name, value in self._otherwise.items()},
            "search_path": ", ".join(identifier(name) for name in path),
            "lock_timeout": str(round(lock_timeout * 1000)),
            "client_connection_check_interval": "1000",
        }
        return "RESET ALL;\n" + "".join(f"{scope} {name} = {value};\n" for name, value in values.items())

    def settle(self) -> None:
        """Set what is ours to set, for what the runner itself sends; raise DatabaseError where we may not."""
        for name, value in self._otherwise.items():
            self.conn.execute(f"SET {name} = {literal(value)}".encode())

    @cached_property
    def _otherwise(self) -> dict[str, str]:
        return otherwise(self.conn)


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """Return an autocommit connection; raise UsageError for a bad address, DatabaseError when it does not work."""
    given = {keyword: value for keyword, (variable, value) in _DEFAULTS.items() if not os.environ.get(variable)}
    params = given | parse(conninfo) | {"client_encoding": "utf8"}
    try:
        with variables(conninfo):
            conn = psycopg.connect(make_conninfo("", **params), autocommit=True, prepare_threshold=None)
    except psycopg.Error as error:
        raise DatabaseError(
            "cannot connect: " + redact(str(error).strip().removeprefix("connection failed: ")),
            hint="check host, port, database, user and password of the address",
        ) from None
    if conn.info.server_version < OLDEST_SERVER:
        conn.close()
        raise DatabaseError(f"PostgreSQL {conn.info.server_version // 10000} is too old: 15 or later is needed")
    return conn


@contextmanager
def connected(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in autocommit mode to `database`, a connection string or a psycopg connection.

    A string's connection is closed at the end; a given one must be idle, and is given back as it was. Server and
    network failures inside the block become DatabaseError.
    """
    conn = connect(database) if isinstance(database, str) else database
    autocommit = conn.autocommit
    try:
        conn.autocommit = True
        yield conn
    except psycopg.Error as error:
        raise explain(error) from error
    finally:
        if isinstance(database, str):
            conn.close()
        elif not conn.closed:
            conn.execute("ROLLBACK" if conn.info.transaction_status else "SELECT 1")
            conn.autocommit = autocommit


@contextmanager
def session(database: Database) -> Iterator[Session]:
    """Open a session on `database`, whose settings are reset while it is used; otherwise like `connected`.

    UsageError is raised where a pooler hands server sessions on between transactions.
    """
    with connected(database) as conn:
        conninfo = _address(database)
        user, session_user, pid = fetch_one(conn, "SELECT current_user, session_user, pg_backend_pid()")
        if pooler.is_pooled(conn, pid):
            _refuse_shared_sessions(conn, pid, conninfo)
        yield Session(conn, user, session_user, pid, conninfo)


def _address(database: Database) -> str:
    if isinstance(database, str):
        return database
    return make_conninfo(database.info.dsn, password=database.info.password)


def _refuse_shared_sessions(conn: psycopg.Connection[Any], pid: int, conninfo: str) -> None:
    another = make_conninfo(conninfo, connect_timeout=max(2, round(pooler.PATIENCE)))
    if pooler.shares_sessions(conn, pid, lambda: connect(another)):
        raise UsageError(
            "the address leads to a connection pooler that hands server sessions on between transactions"
            " (PgBouncer in transaction mode); nothing was changed",
            hint="give the address of the server itself, or of a pooler in session mode",
        )


def explain(error: psycopg.Error) -> DatabaseError:
    """Return the DatabaseError that says what a psycopg error outside of any file means."""
    if error.sqlstate is None:
        return DatabaseError(
            "the connection to the server was lost: " + redact(str(error).strip()),
            hint="what was committed is kept, the rest was undone; run `companion status`, then the command again",
        )
    hints = {
        "42501": "connect as a role that may do this, or have it granted",
        "53200": "raise max_locks_per_transaction, or name one system at a time",
        "53100": "the server's disk is full; free some space and run the command again",
        "55P03": "somebody else has it locked: pg_stat_activity and pg_locks say who; or give more --lock-timeout",
        "25006": "this server is read-only; connect to the primary",
    }
    message = redact(error.diag.message_primary or str(error).strip())
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
