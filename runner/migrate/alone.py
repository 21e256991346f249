"""Files with `-- transactional: false`: one statement that cannot run inside a transaction.

Such a statement and its history row are two steps, so that a killed runner, or a build that fails, can leave work half
done. Before it is sent, the ledger says, committed, that it is begun, and which indexes there were and what was invalid
then. What is invalid afterwards and was not before is the file's, however the statement names it: it is never recorded
as applied, and the next attempt drops it. What is there and valid is the file's too, when a second attempt finds that
it exists already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from runner.errors import SqlError
from runner.files.text import blank, outside_command
from runner.files.tree import File
from runner.history.tables import History
from runner.migrate.send import send_alone
from runner.postgres.session import Session
from runner.postgres.settings import BEGIN
from runner.progress import Progress

# Indexes of partitioned parents are invalid until the last partition has one; REINDEX CONCURRENTLY leaves _ccnew and
# _ccold; what another session builds is that session's.
_STATE_SQL = """
SELECT json_build_object(
    'indexes', coalesce((
        SELECT json_agg(c.oid::regclass::text ORDER BY 1)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = %(schema)s AND c.relkind IN ('i', 'I')
    ), '[]'),
    'invalid', coalesce((
        SELECT json_agg(c.oid::regclass::text ORDER BY 1)
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE NOT (i.indisvalid AND i.indisready AND i.indislive) AND c.relkind = 'i'
            AND c.relname !~ '_cc(new|old)[0-9]*$' AND c.relpersistence <> 't' AND pg_has_role(c.relowner, 'USAGE')
            AND NOT EXISTS (
                SELECT FROM pg_stat_progress_create_index AS p
                WHERE p.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND coalesce(p.index_relid, i.indexrelid) = i.indexrelid AND p.pid <> pg_backend_pid()
            )
    ), '[]'),
    'unfinished', coalesce((
        SELECT json_agg(u.what ORDER BY u.what)
        FROM (
            SELECT 'partition ' || inhrelid::regclass || ', being detached from ' || inhparent::regclass AS what
            FROM pg_inherits WHERE inhdetachpending
            UNION ALL
            SELECT 'constraint ' || quote_ident(conname) || ' of ' || conrelid::regclass || ', NOT VALID'
            FROM pg_constraint WHERE NOT convalidated AND conrelid <> 0 AND contype IN ('c', 'f')
                AND connamespace = (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s)
        ) AS u
    ), '[]')
)::text
"""
# A second statement of this kind would make a second index.
_UNNAMED = re.compile(r"\bindex\s+concurrently\s+on\b", re.I)
_DONE = "an earlier attempt had done it; only the history was missing"
_EXISTS, _MISSING = "42P07", "42704"


@dataclass(frozen=True)
class State:
    """What there was at a moment: indexes of the instance; of the database what is invalid, or unfinished otherwise.

    Names are qualified, but for those of pg_catalog.
    """

    indexes: frozenset[str]
    invalid: frozenset[str]
    unfinished: frozenset[str]

    @classmethod
    def read(cls, s: Session, schema: str) -> State:
        """Look now, under a path on which names come out qualified."""
        s.conn.execute(BEGIN + "SET LOCAL search_path = pg_catalog")
        row = s.conn.execute(_STATE_SQL, {"schema": schema}).fetchone()
        s.conn.execute("COMMIT")
        assert row is not None
        return cls.parse(row[0])

    @classmethod
    def parse(cls, text: str) -> State:
        """Return what `text`, the JSON of a ledger, says."""
        found = json.loads(text)
        return cls(*(frozenset(found[key]) for key in ("indexes", "invalid", "unfinished")))

    def __str__(self) -> str:
        return json.dumps({key: sorted(getattr(self, key)) for key in ("indexes", "invalid", "unfinished")})

    def left(self, now: State) -> list[str]:
        """Return in words what is half done `now` and was not then."""
        return [
            *(f"index {name} is INVALID" for name in sorted(now.invalid - self.invalid)),
            *(f"{what}, is unfinished" for what in sorted(now.unfinished - self.unfinished)),
        ]


def run(
    s: Session,
    progress: Progress,
    history: History,
    file: File,
    *,
    undo: bool = False,
    path: Path | None,
    search_path: Sequence[str],
    timeout: float,
) -> None:
    """Execute the one statement of a file, or with `undo` of its rollback, outside a transaction.

    An earlier attempt's half is dropped first; its whole is taken for done. `timeout` is the lock_timeout in seconds.
    Raises what `send_alone` raises, with what was left half done, and SqlError where the statement succeeded and left
    something invalid: the caller records nothing then.
    """
    text, name = (file.rollback_text, f"{file.id}.rollback") if undo else (file.text, file.id)
    now = State.read(s, history.schema)
    before, again = _begin(s, history, file, now, undo)
    s.conn.execute(s.settings(search_path, timeout, local=False).encode())
    for index in sorted(now.invalid - before.invalid):
        progress.note(f"{name}: dropping the INVALID index {index} that an earlier attempt left behind")
        s.conn.execute(f"DROP INDEX CONCURRENTLY {index}".encode())
    if again and not undo and _UNNAMED.search(blank(text)) and now.indexes - now.invalid - before.indexes:
        progress.note(f"{name}: {_DONE}")
        return
    skipped: list[str] = []

    def notice(diag: psycopg.errors.Diagnostic) -> None:
        if diag.sqlstate == _EXISTS:
            skipped.append(diag.message_primary or "")

    s.conn.add_notice_handler(notice)
    try:
        send_alone(s, text, name=name, path=path)
    except SqlError as error:
        now = State.read(s, history.schema)
        if again and _was_done(text, error, before, now):
            progress.note(f"{name}: {_DONE}")
            return
        error.detail += before.left(now)
        if error.sqlstate == _EXISTS:
            error.detail += [f"index {one} is INVALID, and was before" for one in sorted(now.invalid & before.invalid)]
        if before.left(now):
            error.hint = "what is left is dropped by the next attempt, or by you; see what is wrong, then run it again"
        raise
    finally:
        s.conn.remove_notice_handler(notice)
    now = State.read(s, history.schema)
    wrong = before.left(now) if not undo else []
    if skipped:
        wrong += [f"index {one} is INVALID, and was before" for one in sorted(now.invalid & before.invalid)]
    if wrong:
        raise SqlError(
            "the statement was accepted, but what it makes is not there; it is not recorded as applied",
            name=name, path=path, text=text, position=None, sqlstate=None, server_detail="; ".join([*skipped, *wrong]),
            hint="drop what is INVALID, then run the command again",
        )  # fmt: skip


def left_behind(s: Session, history: History, file: File) -> list[str]:
    """Return in words what the last attempt at a file has left half done; [] if nothing, or if it was never begun."""
    begun = history.begun(file)
    return State.parse(begun).left(State.read(s, history.schema)) if begun else []


def _begin(s: Session, history: History, file: File, now: State, undo: bool) -> tuple[State, bool]:
    """Write that a file is begun; return how things were then, and whether that was in an earlier attempt."""
    if earlier := history.begun(file):
        return State.parse(earlier), True
    s.conn.execute((BEGIN + history.begin_sql(file, str(now), undo=undo) + "COMMIT").encode())
    return now, False


def _was_done(text: str, error: SqlError, before: State, now: State) -> bool:
    """Say whether an attempt before this one did the work of the statement and could not say so."""
    kind = outside_command(text)
    if error.sqlstate == _EXISTS and kind and kind[1] == "CREATE INDEX CONCURRENTLY":
        return bool(now.indexes - now.invalid - before.indexes)
    if error.sqlstate == _MISSING and kind and kind[1] == "DROP INDEX CONCURRENTLY":
        return bool(before.indexes - now.indexes)
    return False
