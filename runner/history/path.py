"""The search path under which the files of an instance run, and who must not be able to create on it."""

from __future__ import annotations

from collections.abc import Sequence

from runner.errors import DatabaseError
from runner.files.tree import PLATFORM
from runner.history.instances import Instance
from runner.postgres.session import API_ROLES, Session, fetch_one, identifier

_PATH_SQL = """
SELECT coalesce(array_agg(DISTINCT n.nspname::text), '{}')
    FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = ANY(%s)
"""

# Who may create in a schema could put an object of his own where a file expects one of ours.
_CREATORS_SQL = """
SELECT n.nspname, coalesce(r.rolname, 'PUBLIC')
FROM pg_namespace AS n
CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE n.nspname = ANY(%s) AND a.privilege_type = 'CREATE' AND a.grantee = 0
UNION
SELECT n.nspname, r.rolname
FROM pg_namespace AS n CROSS JOIN pg_roles AS r
WHERE n.nspname = ANY(%s) AND r.rolname = ANY(%s) AND has_schema_privilege(r.oid, n.oid, 'CREATE')
ORDER BY 1, 2
"""


def search_path(session: Session, instance: Instance, requires: Sequence[str]) -> list[str]:
    """Return the schemas that files of `instance` see: its own, platform, those of needed extensions, pg_temp."""
    extensions: list[str] = []
    if requires:
        (extensions,) = fetch_one(session.conn, _PATH_SQL, [list(requires)])
        extensions = sorted(extensions) or ["extensions"]
    shared = [] if instance.system == PLATFORM else [PLATFORM]
    return list(dict.fromkeys([instance.schema, *shared, *extensions, "pg_temp"]))


def check_path(session: Session, path: Sequence[str]) -> None:
    """Raise DatabaseError unless the instance is where objects go and no API role may create on the path.

    Called inside the transaction that has `path` set.
    """
    (current,) = fetch_one(session.conn, "SELECT current_schema()")
    if current != path[0]:
        raise DatabaseError(
            f"schema {path[0]} cannot be used: new objects would go to {current}",
            hint=f"grant USAGE and CREATE on schema {path[0]} to {session.user}",
        )
    schemas = list(path)
    creators = session.conn.execute(_CREATORS_SQL.encode(), [schemas, schemas, list(API_ROLES)]).fetchall()
    # What PUBLIC may do, every role may do: naming it is enough.
    open_to_all = {schema for schema, role in creators if role == "PUBLIC"}
    creators = [(schema, role) for schema, role in creators if role == "PUBLIC" or schema not in open_to_all]
    if creators:
        raise DatabaseError(
            "an API role may create objects in a schema on the search path",
            detail=[f"{role} may CREATE in schema {schema}" for schema, role in creators],
            hint="; ".join(f"REVOKE CREATE ON SCHEMA {identifier(s)} FROM {_role(r)}" for s, r in creators),
        )


def _role(name: str) -> str:
    return name if name == "PUBLIC" else identifier(name)
