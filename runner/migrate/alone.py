"""Files with `-- transactional: false`: one statement that cannot run inside a transaction.

Such a statement and its history row are two steps, so a killed runner, or a failed build, can leave work half done.
Before an index build is started, what an earlier attempt left is looked at: an INVALID index is dropped and built
again, a valid one of the same definition is taken for done.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from runner.files.text import without_concurrently, without_leading_comments
from runner.migrate.send import send_alone
from runner.postgres.session import Session, fetch_one, identifier
from runner.postgres.settings import BEGIN
from runner.progress import Progress

_NAME = r'((?:"(?:[^"]|"")+")|[A-Za-z_][\w$]*)'
_CREATE = re.compile(
    rf"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+(CONCURRENTLY)\s+{_NAME}\s+ON\s+(?:ONLY\s+)?{_NAME}\s*(?:USING|\()",
    re.I,
)
_DROP = re.compile(rf"\s*DROP\s+INDEX\s+(CONCURRENTLY)\s+(?:IF\s+EXISTS\s+)?{_NAME}\s*;?\s*\Z", re.I)

_INDEX_SQL = """
SELECT i.indisvalid AND i.indisready, i.indisunique, substring(pg_get_indexdef(i.indexrelid) FROM ' USING (.*)')
FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = %s AND n.nspname = %s
"""
_TEMP_INDEX_SQL = _INDEX_SQL.replace("n.nspname = %s", "n.oid = pg_my_temp_schema()").replace(
    "i.indisvalid AND i.indisready", "true"
)


def run(
    session: Session,
    progress: Progress,
    text: str,
    *,
    name: str,
    path: Path | None,
    search_path: Sequence[str],
    timeout: float,
) -> None:
    """Execute the one statement of `text` outside a transaction, unless an earlier attempt already did its work.

    `timeout` is the lock_timeout in seconds. Raises what `send_alone` raises.
    """
    session.conn.execute(session.settings(search_path, timeout, local=False).encode())
    schema = search_path[0]
    if match := _CREATE.match(without_leading_comments(text)):
        index = _unquote(match[2])
        found = session.conn.execute(_INDEX_SQL.encode(), [index, schema]).fetchone()
        if found and not found[0]:
            progress.note(f"{name}: dropping the invalid index {index} that an earlier attempt left behind")
            session.conn.execute(f"DROP INDEX CONCURRENTLY {identifier(schema, index)}".encode())
        elif found and found[1:] == _definition(session, text, index, _unquote(match[3]), search_path):
            progress.note(f"{name}: index {index} is already there, as defined; only the history was missing")
            return
    elif match := _DROP.match(without_leading_comments(text)):
        index = _unquote(match[2])
        if not session.conn.execute(_INDEX_SQL.encode(), [index, schema]).fetchone():
            progress.note(f"{name}: index {index} is already gone; only the history was missing")
            return
    send_alone(session, text, name=name, path=path)


def _definition(
    session: Session, text: str, index: str, table: str, search_path: Sequence[str]
) -> tuple[bool, str] | None:
    """Return what an index made by `text` is: unique or not, and its definition from USING on.

    The statement runs against an empty temporary copy of the table, which is thrown away.
    """
    conn = session.conn
    conn.execute(BEGIN)
    try:
        conn.execute(f"CREATE TEMPORARY TABLE {identifier(table)} (LIKE {identifier(search_path[0], table)})".encode())
        names = ", ".join(identifier(name) for name in ("pg_temp", *search_path[:-1]))
        conn.execute(f"SET LOCAL search_path = {names}".encode())
        conn.execute(without_concurrently(text).encode())
        found = fetch_one(conn, _TEMP_INDEX_SQL, [index])
    finally:
        conn.execute("ROLLBACK")
    return found[1], found[2]


def _unquote(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
