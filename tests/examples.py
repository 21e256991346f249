"""The examples of the reference pages, run as whom they are for."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import psycopg

from docs.generate.model import ROLES, Example, System, read

system_of = cache(read)


def rows_of(conn: psycopg.Connection[Any], system: System, example: Example) -> int:
    """Run an example as whom it is for, undo it, and return the number of rows of its last statement."""
    claims = {"role": ROLES[example.who]} | ({"sub": system.user} if example.who == "user" else {})
    with conn.transaction(force_rollback=True):
        conn.execute("SELECT set_config('request.jwt.claims', %s, TRUE)", [json.dumps(claims)])
        conn.execute(f"SET LOCAL ROLE {ROLES[example.who]}".encode())
        cursor = conn.execute(example.sql.encode())
        while cursor.nextset():
            pass
        found = cursor.rowcount if cursor.description else 0
    # What was prepared outlives the transaction.
    conn.execute("DEALLOCATE ALL")
    return found
