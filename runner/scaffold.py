"""Making the next file of a chain, with its rollback beside it."""

from __future__ import annotations

import re
from pathlib import Path

from runner.errors import UsageError
from runner.tree import KINDS, Tree

_SLUG = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*\Z")

_FUNCTIONS_SQL = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.prokind IN ('f', 'p') AND (p.proname = %s OR p.oid::regprocedure::text = %s)
ORDER BY 1
"""


def new_file(tree: Tree, system: str, kind: str, slug: str, definition: str | None = None) -> tuple[Path, Path]:
    """Create the next file of `system` and its rollback, and return both paths.

    Without `definition` they hold a header only, which lint and apply refuse until the statements are written; with it,
    both hold that definition, to be changed in the first. Raises UsageError or TreeError.
    """
    tree.check_system(system)
    if kind not in KINDS:
        raise UsageError(f"unknown kind {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    if not _SLUG.match(slug):
        raise UsageError(f"{slug!r} is no slug", hint="use lower-case words, digits and underscores: chat_messages")
    chain = tree.chain(system)
    last = chain.files[-1] if chain.files else None
    name = f"{last.number + 1 if last else 1:04}_{slug}"
    folder = tree.root / kind / system
    folder.mkdir(parents=True, exist_ok=True)
    path, rollback = folder / f"{name}.sql", folder / f"{name}.rollback.sql"
    header = f"-- {slug.replace('_', ' ').capitalize()}.\n" + (f"-- depends: {last.id}\n" if last else "")
    path.write_text(header + (f"\n{definition}" if definition else ""), encoding="utf-8", newline="\n")
    rollback.write_text(definition or "", encoding="utf-8", newline="\n")
    return path, rollback


def live_definition(database: str, tree: Tree, system: str, function: str, schema: str | None = None) -> str:
    """Return the `CREATE OR REPLACE` of a function as it is in the database, without its schema.

    `function` is a name, or a name with argument types when it is overloaded. Raises UsageError.
    """
    from runner.database import identifier, search_path, session

    where = schema or system
    with session(database) as s:
        path = search_path(s, system, where, tree.chain(system).requires)
        s.conn.execute("SELECT set_config('search_path', %s, false)", [", ".join(identifier(name) for name in path)])
        rows = s.conn.execute(_FUNCTIONS_SQL.encode(), [where, function, function]).fetchall()
    if not rows:
        raise UsageError(f"schema {where} has no function {function}")
    if len(rows) > 1:
        raise UsageError(f"{function} is overloaded", hint="name one: " + "; ".join(name for name, _ in rows))
    names = "|".join(re.escape(name) for name in {where, identifier(where)})
    text = re.sub(rf"\A(CREATE OR REPLACE \w+) (?:{names})\.", r"\1 ", rows[0][1])
    pinned = ", ".join(f"'{name}'" for name in path)
    text = text.replace(f" SET search_path TO {pinned}\n", " SET search_path FROM CURRENT\n")
    return text.rstrip() + ";\n"
