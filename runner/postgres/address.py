"""Which database a command is about."""

from __future__ import annotations

import os

from runner.errors import NoDatabaseError
from runner.postgres import embedded


def resolve(url: str | None) -> str:
    """Return the connection string to use: `url`, else DATABASE_URL, else the running embedded server's.

    Raises NoDatabaseError when there is none.
    """
    found = url or os.environ.get("DATABASE_URL") or embedded.running_url()
    if not found:
        raise NoDatabaseError("no database: give --database, set DATABASE_URL or run `companion up`")
    return found
