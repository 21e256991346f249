"""One runner at a time per database, and who is in the way.

The lock is a session advisory lock: it vanishes with its session, so that a killed runner leaves nothing behind. It is
polled, because a session that blocks in `pg_advisory_lock` holds a snapshot for which CREATE INDEX CONCURRENTLY waits.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from runner.errors import CompanionError, LockTimeoutError
from runner.postgres.session import Session, connect, fetch_one, literal
from runner.progress import Progress

# The letters "companio"; in pg_locks: classid 1668246896, objid 1634625903.
KEY = int.from_bytes(b"companio", "big")

_PEOPLE = "SELECT pid, usename, application_name, coalesce(xact_start, backend_start) FROM pg_stat_activity"
_HOLDER_SQL = f"""
{_PEOPLE} JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = {KEY >> 32} AND objid = {KEY & 0xFFFFFFFF}
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_BLOCKERS_SQL = f"{_PEOPLE} WHERE pid = ANY(pg_blocking_pids(%s)) ORDER BY pid"
# A prepared transaction has no session, and holds its locks until somebody ends it.
_PREPARED_SQL = """
SELECT DISTINCT p.gid, p.owner::text, p.prepared
FROM pg_locks AS w
JOIN pg_locks AS h ON h.granted AND h.pid IS NULL AND h.locktype = w.locktype
    AND (h.database, h.relation, h.page, h.tuple, h.transactionid, h.classid, h.objid, h.objsubid)
        IS NOT DISTINCT FROM (w.database, w.relation, w.page, w.tuple, w.transactionid, w.classid, w.objid, w.objsubid)
JOIN pg_locks AS own ON own.pid IS NULL AND own.locktype = 'transactionid'
    AND own.virtualtransaction = h.virtualtransaction
JOIN pg_prepared_xacts AS p ON p.transaction = own.transactionid
WHERE w.pid = %s AND NOT w.granted
ORDER BY 1
"""
_BUILD_SQL = """
SELECT phase, round(100.0 * blocks_done / nullif(blocks_total, 0)) FROM pg_stat_progress_create_index WHERE pid = %s
"""


def describe(pid: int, user: str | None, application: str | None, since: Any) -> str:
    """Return one line that tells a person who holds a lock."""
    when = f", since {since:%H:%M:%S}" if since else ""
    return f"process {pid} ({application or 'unnamed application'}, user {user or 'unknown'}{when})"


@contextmanager
def runner_lock(session: Session, note: Callable[[str], None], wait: float) -> Iterator[None]:
    """Hold the database's runner lock; while another runner has it, call `note` once with a line naming it.

    Raises LockTimeoutError when it still has it after `wait` seconds.
    """
    pause, holder = 0.1, ""
    end = time.monotonic() + wait
    while not fetch_one(session.conn, "SELECT pg_try_advisory_lock(%s)", [KEY])[0]:
        row = session.conn.execute(_HOLDER_SQL.encode()).fetchone()
        if row and not holder:
            note(f"waiting for another runner: {describe(*row)}")
        holder = describe(*row) if row else holder
        if time.monotonic() > end:
            raise LockTimeoutError(
                f"another runner is still at work after {wait:g} s: {holder or 'of a role that hides it'};"
                " nothing was changed",
                hint="let it end, or end its session; --wait says how long to wait for it",
            )
        time.sleep(min(pause, max(end - time.monotonic(), 0.01)))
        pause = min(pause * 1.5, 1.0)
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            if session.conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                session.conn.execute("SELECT pg_advisory_unlock(%s)", [KEY])


class Watch:
    """Looks from a second connection at work that takes long: who blocks it, how far an index build is.

    Until then it costs a thread that sleeps. `progress.note` gets a line for each new blocker, `progress.step` one for
    each step of an index build; `blockers` holds the blockers last seen, `prepared` the names of prepared transactions.
    """

    def __init__(self, session: Session, progress: Progress) -> None:
        """Watch `session` once the block is entered, from each `begin` to its `end`."""
        self.blockers: list[str] = []
        self.prepared: list[str] = []
        self._session, self._progress = session, progress
        self._look_at = math.inf
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        # No longer: a full pooler lets its connection wait for as long as this session is open.
        self._thread.join(1.0)

    def begin(self, patience: float) -> None:
        """Start to look when `patience` seconds have passed without `end`."""
        self.blockers, self.prepared = [], []
        self._look_at = time.monotonic() + patience

    def end(self) -> None:
        """Stop to look."""
        self._look_at = math.inf

    def _run(self) -> None:
        while not self._over.wait(0.05):
            if time.monotonic() > self._look_at:
                # Watching is a courtesy: when it fails, the work still goes on.
                with suppress(psycopg.Error, CompanionError), connect(self._session.conninfo) as conn:
                    self._look(conn)

    def _look(self, conn: psycopg.Connection[Any]) -> None:
        seen: list[str] = []
        while time.monotonic() > self._look_at:
            rows = conn.execute(_BLOCKERS_SQL.encode(), [self._session.pid]).fetchall()
            now = [describe(*row) for row in rows]
            for gid, owner, since in conn.execute(_PREPARED_SQL.encode(), [self._session.pid]):
                now.append(f"prepared transaction {literal(gid)[1:]} (user {owner}, since {since:%Y-%m-%d %H:%M:%S})")
                self.prepared.append(gid)
            if now:
                self.blockers = now
                if now != seen:
                    self._progress.note("waiting for a lock held by " + " and ".join(now))
                    seen = now
            if row := conn.execute(_BUILD_SQL.encode(), [self._session.pid]).fetchone():
                phase, percent = row
                self._progress.step(f"{phase} {percent}%" if percent is not None else phase)
            if self._over.wait(0.2):
                return
