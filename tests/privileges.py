"""What the catalog says about who may do what in a schema; each system's test_privileges.py says what it should be."""

from __future__ import annotations

from tests.people import Person


def on_relations(db: Person) -> dict[str, dict[str, str]]:
    """Return, for each relation and role, its privileges in alphabetical order; the owner's own are left out."""
    found: dict[str, dict[str, str]] = {}
    for relation, role, privileges in db.rows(
        """
        SELECT c.relname, a.grantee::regrole::text, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.relnamespace = %s::regnamespace AND a.grantee <> c.relowner
        GROUP BY 1, 2
        """,
        [db.schema],
    ):
        found.setdefault(relation, {})[role] = privileges
    return found


def on_columns(db: Person) -> list[tuple[str, str]]:
    """Return the relation and name of each column that has privileges of its own."""
    return [
        (row.relname, row.attname)
        for row in db.rows(
            "SELECT c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = %s::regnamespace AND a.attacl IS NOT NULL",
            [db.schema],
        )
    ]


def on_schema(db: Person) -> set[tuple[str, str, bool]]:
    """Return role, privilege and whether it may be passed on; the owner's own are left out."""
    return {
        (row.role, row.privilege_type, row.is_grantable)
        for row in db.rows(
            "SELECT a.grantee::regrole::text AS role, a.privilege_type, a.is_grantable"
            " FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a"
            " WHERE n.oid = %s::regnamespace AND a.grantee <> n.nspowner",
            [db.schema],
        )
    }


def on_functions(db: Person) -> dict[str, set[str]]:
    """Return the signatures of the functions that each role but the owner may execute."""
    found: dict[str, set[str]] = {}
    for name, role in db.rows(
        """
        SELECT p.oid::regprocedure::text, a.grantee::regrole::text
        FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE p.pronamespace = %s::regnamespace AND a.grantee <> p.proowner
        """,
        [db.schema],
    ):
        found.setdefault(role, set()).add(name.replace(",", ", "))
    return found


def definers(db: Person) -> tuple[set[str], set[str]]:
    """Return the names of the functions that run with their owner's rights: those that are called, and trigger's."""
    rows = db.rows(
        "SELECT proname, prorettype = 'trigger'::regtype AS trigger FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace AND prosecdef",
        [db.schema],
    )
    return {row.proname for row in rows if not row.trigger}, {row.proname for row in rows if row.trigger}


def policies(db: Person) -> dict[str, tuple[str, str, str]]:
    """Return the table, roles and command of each policy: r, a, w and d are SELECT to DELETE, * is all of them."""
    rows = db.rows(
        "SELECT p.polname, c.relname, array_to_string(p.polroles::regrole[], ' ') AS roles, p.polcmd::text,"
        " p.polpermissive FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid"
        " WHERE c.relnamespace = %s::regnamespace",
        [db.schema],
    )
    assert all(row.polpermissive for row in rows)
    return {row.polname: (row.relname, row.roles, row.polcmd) for row in rows}


def signature(db: Person, function: str) -> tuple[str, str]:
    """Return the arguments and the result of a function, as the catalog writes them."""
    found = db.row(
        "SELECT pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result FROM pg_proc"
        " WHERE pronamespace = %s::regnamespace AND proname = %s",
        [db.schema, function],
    )
    return found.arguments, found.result
