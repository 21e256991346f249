"""A function as it is in a database, ready to be changed."""

from __future__ import annotations

import re

from runner.errors import UsageError
from runner.files.tree import Tree
from runner.history.instances import Instance
from runner.history.path import search_path
from runner.postgres.session import Database, identifier, session

_FUNCTIONS_SQL = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid)
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %s AND p.prokind IN ('f', 'p') AND (p.proname = %s OR p.oid::regprocedure::text = %s)
ORDER BY 1
"""


def live_definition(database: Database, tree: Tree, instance: Instance, function: str) -> str:
    """Return the `CREATE OR REPLACE` of a function as it is in the database, without its schema.

    `function` is a name, or a name with argument types when it is overloaded. Raises UsageError.
    """
    where = instance.schema
    with session(database) as s:
        path = search_path(s, instance, tree.chain(instance.system).requires)
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
