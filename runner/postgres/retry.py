"""Trying again when a lock was not granted in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg

from runner.errors import LockTimeoutError
from runner.postgres.lock import Watch
from runner.postgres.pace import Pace
from runner.postgres.session import RETRIED, Session, literal
from runner.progress import Progress

Result = TypeVar("Result")


def abandon(session: Session) -> None:
    """End the open transaction, if there is one, without keeping anything of it."""
    # A connection that was lost has ended its transaction itself.
    with suppress(psycopg.OperationalError):
        if not session.conn.closed and session.conn.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
            # Interrupted between sending a statement and waiting for it, psycopg leaves it on its way.
            session.conn.cancel()
            while session.conn.pgconn.get_result() is not None:
                pass
        if not session.conn.closed and session.conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            session.conn.execute("ROLLBACK")


def _way_out(prepared: list[str]) -> str:
    if not prepared:
        return "wait for that session or end it, or give more --lock-timeout"
    statements = " or ".join(f"{word} PREPARED {literal(prepared[-1])[1:]}" for word in ("COMMIT", "ROLLBACK"))
    return f"no session is there to wait for: {statements} ends it"


@contextmanager
def patient(session: Session, pace: Pace, progress: Progress) -> Iterator[None]:
    """Let what only reads inside the block wait for a lock as long as `pace` says, and tell for whom.

    Raises LockTimeoutError, naming who was in the way.
    """
    session.conn.execute(f"SET lock_timeout = {round(pace.lock_timeout * 1000)}".encode())
    with Watch(session, progress) as watch:
        watch.begin(min(0.5, pace.lock_timeout / 4))
        try:
            yield
        except RETRIED as error:
            whom = "; ".join(watch.blockers) or "another session"
            raise LockTimeoutError(
                f"{error.diag.message_primary}; blocked by {whom}",
                hint=f"nothing was changed; {_way_out(watch.prepared)}",
            ) from error
        finally:
            watch.end()


class Attempts:
    """Runs pieces of work inside its block, each again after a lock timeout or a deadlock."""

    def __init__(self, session: Session, pace: Pace, progress: Progress) -> None:
        self._session, self._pauses, self._progress = session, pace.pauses, progress
        self._watch = Watch(session, progress)

    def __enter__(self) -> Attempts:
        self._watch.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.__exit__()

    def run(self, name: str, timeout: float, work: Callable[[], Result]) -> Result:
        """Return `work()`; whenever it fails, its transaction is rolled back.

        `timeout` is the lock_timeout in seconds that `work` uses, `name` what it does. Raises LockTimeoutError, naming
        who was in the way, when the last attempt fails too; any other failure at once.
        """
        blockers: list[str] = []
        prepared: list[str] = []
        for pause in (*self._pauses, None):
            self._watch.begin(min(0.5, timeout / 4))
            try:
                return work()
            except RETRIED as error:
                abandon(self._session)
                blockers, prepared = self._watch.blockers or blockers, self._watch.prepared or prepared
                said, whom = error.diag.message_primary, "; ".join(blockers) or "another session"
                if pause is None:
                    raise LockTimeoutError(
                        f"{name}: {said}, {len(self._pauses) + 1} times; blocked by {whom}",
                        hint=f"nothing of it was done; {_way_out(prepared)}",
                    ) from error
                self._watch.end()
                self._progress.note(f"{name}: {said}; trying again in {pause:g} s")
                time.sleep(pause)
            except BaseException:
                abandon(self._session)
                raise
            finally:
                self._watch.end()
        raise AssertionError("the last attempt returns or raises")
