"""Sending a whole file, and saying where in it the server found a fault.

A file is sent as `DO … EXECUTE <text>`: in one message, unsplit, without parameters. The server itself then refuses a
COMMIT inside it and reports the position of an error relative to the file.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from runner.errors import DatabaseError, SqlError
from runner.files.outside import DIRECTIVE
from runner.files.text import copy_command, transaction_command
from runner.postgres.session import RETRIED, Session, literal

# The last line of a context: the DO block around the file.
_OUR_BLOCK = re.compile(r"PL/pgSQL function inline_code_block line \d+ at \w+\Z")


def wrap(session: Session, text: str) -> str:
    """Return the one statement that makes the server execute the whole of `text` and look who we are afterwards."""
    inner, outer = _tag(text), _tag(text)
    return (
        f"DO {outer}BEGIN EXECUTE {inner}{text}{inner};\n"
        f"IF (current_user, session_user) <> ({literal(session.user)}, {literal(session.session_user)}) THEN\n"
        "RAISE 'the file left the role % behind', current_user"
        " USING HINT = 'set a role with SET LOCAL ROLE and end the file with RESET ROLE'; END IF;\n"
        f"END{outer};\n"
    )


def _tag(text: str) -> str:
    while (tag := f"$companion_{secrets.token_hex(4)}$") in text:
        pass
    return tag


def send(session: Session, before: str, text: str, after: str = "", *, name: str, path: Path | None) -> None:
    """Execute the statements `before`, the file `text` and the statements `after` in one message, in a transaction.

    Raises SqlError for what the server has against the file, DatabaseError for a lost connection; lets lock timeouts
    and deadlocks through as psycopg errors, for those are tried again.
    """
    with file_errors(name=name, path=path, text=text):
        session.conn.execute((before + wrap(session, text) + after).encode())


def send_alone(session: Session, text: str, *, name: str, path: Path | None) -> None:
    """Execute `text`, which must be one statement, outside any transaction.

    `binary` selects the extended protocol, in which the server refuses a second statement.
    """
    with file_errors(name=name, path=path, text=text, whole=True):
        session.conn.execute(text.encode(), binary=True)


@contextmanager
def file_errors(*, name: str, path: Path | None, text: str, whole: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside the block into an error of the file `text`, except lock timeouts and deadlocks.

    `whole` says that `text` is all that is sent, so that positions in the message are positions in the file.
    """
    try:
        yield
    except RETRIED:
        raise
    except psycopg.Error as error:
        if error.sqlstate is None or error.sqlstate.startswith("57P"):
            raise DatabaseError(
                f"the connection to the server was lost while {name} ran",
                hint="what was committed is kept, the rest was undone; run `companion status`, then the command again",
            ) from error
        raise _sql_error(error, name=name, path=path, text=text, whole=whole) from error


def _sql_error(error: psycopg.Error, *, name: str, path: Path | None, text: str, whole: bool) -> SqlError:
    """Return the SqlError for what the server said while it executed `text`."""
    diag = error.diag
    position: int | None = None
    if diag.internal_query == text and diag.internal_position:
        position = int(diag.internal_position)
    elif whole and diag.statement_position:
        position = int(diag.statement_position)
    context = _OUR_BLOCK.sub("", (diag.context or "").replace(f'SQL statement "{text}"', "")).strip() or None
    message, hint = diag.message_primary or str(error).strip(), None
    if error.sqlstate in ("0A000", "2D000") and (found := transaction_command(text)) is not None:
        message, hint = "a file cannot begin or end a transaction itself", "remove the statement"
        position = found + 1
    elif error.sqlstate == "0A000" and (found := copy_command(text)) is not None:
        position = found + 1
    elif error.sqlstate == "25001":
        hint = f"begin the file with `{DIRECTIVE}`; outside a transaction a file holds one statement"
    elif whole and error.sqlstate == "42601" and position is None:
        message = f"a file that says `{DIRECTIVE}` holds more than one statement"
        hint = "split it: one statement for each file"
    return SqlError(
        message,
        name=name,
        path=path,
        text=text,
        position=position,
        sqlstate=error.sqlstate,
        server_detail=diag.message_detail,
        server_hint=diag.message_hint,
        context=context,
        hint=hint or "nothing of this file was applied; correct it and run the command again",
    )
