"""Noticing a connection pooler that hands server sessions on from one transaction to the next.

Through it a lock or a setting of the session is somebody else's a moment later. A pooler that keeps a session for each
client is as good as the server itself. It looks by asking for process ids only, so it leaves nothing behind.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg

from runner.errors import CompanionError

# Seconds that a second connection may wait for a free session; when none comes, each client has its own.
PATIENCE = 2.0

# Each with a new connection, for there may be several poolers behind one address.
_ROUNDS = 5
_PID_SQL = b"SELECT pg_backend_pid()"

Connection = psycopg.Connection[Any]


def is_pooled(conn: Connection, pid: int) -> bool:
    """Say whether the server's process `pid`, which answers on `conn`, is not the one that was promised at its begin.

    A pooler makes that up, for it is there before it has a session.
    """
    return conn.info.backend_pid != pid


def shares_sessions(first: Connection, pid: int, connect: Callable[[], Connection]) -> bool:
    """Say whether the pooler lets others into the session `pid` that has just answered on `first`.

    `first` must be idle and in autocommit mode; `connect` opens another connection through the same pooler. That one
    in the same session, or `first` in another, is the proof; neither ever happens where a client keeps its session.
    """
    seen = {pid}

    def stays() -> bool:
        seen.add(_ask(first))
        return len(seen) == 1

    for _ in range(_ROUNDS):
        try:
            second = connect()
        except CompanionError:
            return False
        with closing(second):
            other = _ask_in_time(second, stays)
        # Twice, for a pooler that goes round all its sessions in turn.
        if other in seen or not (stays() and stays()):
            return True
        if other is None:
            return False
    return False


def _ask(conn: Connection) -> int:
    row = conn.execute(_PID_SQL).fetchone()
    assert row is not None
    return int(row[0])


def _ask_in_time(conn: Connection, go_on: Callable[[], bool]) -> int | None:
    """Return the process that answers; None if none does in time, or `go_on()`, asked meanwhile, says no."""
    end = time.monotonic() + PATIENCE
    libpq = conn.pgconn
    libpq.send_query(_PID_SQL)
    libpq.flush()
    with selectors.DefaultSelector() as selector:
        selector.register(libpq.socket, selectors.EVENT_READ)
        while libpq.is_busy():
            if selector.select(0.1):
                libpq.consume_input()
            elif time.monotonic() > end or not go_on():
                return None
    result = libpq.get_result()
    value = result.get_value(0, 0) if result is not None and result.ntuples == 1 else None
    return None if value is None else int(value)
