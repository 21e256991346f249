"""How patient work on a database is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """How long a statement waits for a lock, and how often its work is tried again; all in seconds."""

    lock_timeout: float = 5.0
    """For a statement inside a transaction."""
    build_timeout: float = 600.0
    """For one outside: a concurrent index build waits for every older transaction of the database."""
    wait: float = 600.0
    """For another runner to end."""
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Before each further attempt: short ones behind a busy table, enough in all for a short transaction to end."""

    def timeout(self, transactional: bool) -> float:
        """Return the lock_timeout inside (`transactional`) or outside of a transaction."""
        return self.lock_timeout if transactional else self.build_timeout


DEFAULT = Pace()
