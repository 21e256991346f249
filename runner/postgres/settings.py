"""The settings under which files run, whatever role and database have been given.

What can change what a file does, or whether it ends, is ours to set. All else is the operator's (memory, logging, where
tables lie) or harmless; tests/runner/postgres/test_settings.py has every setting of the server in one of three lists.
"""

from __future__ import annotations

from typing import Any

import psycopg

from runner.errors import DatabaseError

# How a file's text is read, and how values are written out where it is made from the catalog.
TEXT = {
    "array_nulls": "on",
    "backslash_quote": "safe_encoding",
    "bytea_output": "hex",
    "DateStyle": "ISO, MDY",
    "default_text_search_config": "pg_catalog.english",
    "escape_string_warning": "on",
    "extra_float_digits": "1",
    "IntervalStyle": "postgres",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "timezone_abbreviations": "Default",
    "transform_null_equals": "off",
    "xmlbinary": "base64",
    "xmloption": "content",
}
# Whether a statement or a transaction ends; a wait for a lock has a time of its own.
ENDS = {
    "exit_on_error": "off",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "statement_timeout": "0",
    "transaction_timeout": "0",
}
OURS = (
    TEXT
    | ENDS
    | {
        # What a statement does.
        "check_function_bodies": "on",
        "client_min_messages": "notice",
        "createrole_self_grant": "",
        "gin_fuzzy_search_limit": "0",
        "restrict_nonsystem_relation_kind": "",
        "row_security": "on",
        "session_replication_role": "origin",
        # How many rows a file has inserted or deleted is told by these counts.
        "track_counts": "on",
        # How a transaction is, for those that do not say so.
        "default_transaction_deferrable": "off",
        "default_transaction_isolation": "read committed",
        "default_transaction_read_only": "off",
    }
)
# A transaction takes its defaults before anything in it can be set.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE;\n"

_OTHERWISE_SQL = """
SELECT name, reset_val, context = 'user' OR has_parameter_privilege(name, 'SET')
FROM pg_settings WHERE name = ANY(%s)
"""


def otherwise(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """Return those of OURS that RESET ALL would leave otherwise, with the values that they have to get.

    Raises DatabaseError where one of them is for superusers to set: to go on would be to do something else.
    """
    rows = conn.execute(_OTHERWISE_SQL.encode(), [list(OURS)]).fetchall()
    wrong = [(name, value, may) for name, value, may in rows if value != OURS[name]]
    refused = [f"{name} is {value}, and has to be {OURS[name]}" for name, value, may in wrong if not may]
    if refused:
        names = "; ".join(f"ALTER ROLE {conn.info.user} RESET {name}" for name, _, may in wrong if not may)
        raise DatabaseError(
            "a setting of this role or database, which only a superuser may override, changes what files do;"
            " nothing was changed",
            detail=refused,
            hint=f"let a superuser take it away ({names}; or ALTER DATABASE … RESET), or connect as another role",
        )
    return {name: OURS[name] for name, _, _ in wrong}
