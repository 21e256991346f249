"""A read-only question put through libpq itself: importing psycopg takes longer than `companion status` may take.

The library is the one inside psycopg's binary package. Wherever that is not found, or anything fails, the answer is
None and the caller asks again through psycopg, which also explains failures.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from runner.postgres.address import variables

Answer = TypeVar("Answer")

_CONNECTED, _ROWS = 0, 2
# For one transaction: a pooler would hand settings of the session on to whoever comes next.
_BEGIN = b"BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'"


class _Failed(Exception):
    pass


def ask(conninfo: str, question: Callable[[Callable[[str], str]], Answer]) -> Answer | None:
    """Return `question(fetch)`, where `fetch(query)` returns the one text value of a query; None if that fails."""
    library = _libpq()
    if library is None:
        return None
    # What stands before dbname is a default, which the address in it may change.
    timeout = {} if "PGCONNECT_TIMEOUT" in os.environ else {b"connect_timeout": b"10"}
    given = {**timeout, b"dbname": conninfo.encode(), b"application_name": b"companion", b"client_encoding": b"UTF8"}
    names, values = ((ctypes.c_char_p * (len(given) + 1))(*part, None) for part in (given.keys(), given.values()))
    with variables(conninfo):
        connection = ctypes.c_void_p(library.PQconnectdbParams(names, values, 1))

    def fetch(query: str) -> str:
        result = ctypes.c_void_p(library.PQexec(connection, query.encode()))
        try:
            if library.PQresultStatus(result) != _ROWS:
                raise _Failed
            return bytes(library.PQgetvalue(result, 0, 0)).decode()
        finally:
            library.PQclear(result)

    try:
        if library.PQstatus(connection) != _CONNECTED:
            return None
        library.PQclear(ctypes.c_void_p(library.PQexec(connection, _BEGIN)))
        answer = question(fetch)
        library.PQclear(ctypes.c_void_p(library.PQexec(connection, b"COMMIT")))
        return answer
    except _Failed:
        return None
    finally:
        library.PQfinish(connection)


def _libpq() -> ctypes.CDLL | None:
    spec = importlib.util.find_spec("psycopg_binary")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    found = [*package.parent.glob("psycopg_binary.libs/libpq-*.so*"), *package.glob(".dylibs/libpq*.dylib")]
    try:
        library = ctypes.CDLL(str(found[0]))
    except (IndexError, OSError):
        return None
    for name in ("PQconnectdbParams", "PQexec"):
        getattr(library, name).restype = ctypes.c_void_p
    library.PQgetvalue.restype = ctypes.c_char_p
    return library
