"""What must be so in a database before the first file of a run: said then, and not by the file that fails of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import psycopg

from runner.errors import DatabaseError, TreeError
from runner.files import outside
from runner.files.tree import PLATFORM
from runner.postgres.session import Session, fetch_one, identifier
from runner.postgres.settings import BEGIN

if TYPE_CHECKING:
    from runner.migrate.apply import Plan
    from runner.progress import Progress

SERVICES = "service_role"
PRODUCTS = {"vector": "pgvector"}

_EXTENSIONS_SQL = """
SELECT name, installed_version IS NOT NULL FROM pg_available_extensions WHERE name = ANY(%s)
"""
# Of a role that is not there yet nobody is a member: the files make it.
_MEMBER_SQL = """
SELECT pg_has_role(oid, 'USAGE'), pg_has_role(oid, 'MEMBER WITH ADMIN OPTION'),
    (SELECT rolinherit FROM pg_roles WHERE rolname = current_user)
FROM pg_roles WHERE rolname = %s
"""
_INHERITS_SQL = "SELECT rolsuper OR rolinherit FROM pg_roles WHERE rolname = current_user"


def check(s: Session, plans: Sequence[Plan], progress: Progress, *, rehearsed: bool = False) -> None:
    """Raise DatabaseError where what is pending could not be applied here, TreeError where it could be nowhere.

    Who may become a member of service_role is made one, unless all of it is `rehearsed` only.
    """
    pending = [plan for plan in plans if plan.pending]
    if not pending:
        return
    if faults := outside.faults(file for plan in pending for file in plan.pending):
        raise TreeError(faults)
    _check_encoding(s)
    _check_extensions(s, plans, pending)
    if any(plan.instance.system == PLATFORM for plan in plans):
        _check_membership(s, progress, rehearsed)


def _check_encoding(s: Session) -> None:
    encoding = s.conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        name = identifier(f"{s.conn.info.dbname}_utf8")
        raise DatabaseError(
            f"database {s.conn.info.dbname} holds text in {encoding}, and UTF8 is needed; nothing was changed",
            hint=f"make another: CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'",
        )


def _check_extensions(s: Session, plans: Sequence[Plan], pending: Sequence[Plan]) -> None:
    needed = {
        plan.instance.system: sorted({name for file in plan.pending for name in file.requires}) for plan in pending
    }
    names = sorted({name for some in needed.values() for name in some})
    if not names:
        return
    found = dict(s.conn.execute(_EXTENSIONS_SQL.encode(), [names]).fetchall())
    for name in names:
        if found.get(name):
            continue
        product = f"{PRODUCTS[name]} (extension {name})" if name in PRODUCTS else f"extension {name}"
        systems = [system for system, some in needed.items() if name in some]
        said = _trial(s, name) if name in found else "it is not on this server"
        if said is None:
            continue
        others = [plan.instance.system for plan in plans if plan.instance.system not in (PLATFORM, *systems)]
        without = f"; or apply what does without it: companion apply {' '.join(others)}" if others else ""
        how = f"let a superuser say CREATE EXTENSION {name} in this database" if name in found else "install it there"
        raise DatabaseError(
            f"{', '.join(systems)} need{'' if len(systems) > 1 else 's'} {product}: {said}; nothing was changed",
            hint=how + without,
        )


def _trial(s: Session, extension: str) -> str | None:
    """Return why we cannot create an extension, or None if we can: some services let others than superusers do that."""
    s.conn.execute(BEGIN)
    try:
        s.conn.execute("CREATE SCHEMA _companion_scratch")
        s.conn.execute(f"CREATE EXTENSION {identifier(extension)} SCHEMA _companion_scratch".encode())
    except psycopg.Error as error:
        return error.diag.message_primary or str(error)
    finally:
        s.conn.execute("ROLLBACK")
    return None


def _check_membership(s: Session, progress: Progress, rehearsed: bool) -> None:
    """See to it that the owner of all objects is a service to policies and functions: jobs run as the owner."""
    user = identifier(s.user)
    inherit = " WITH INHERIT TRUE" if s.conn.info.server_version >= 160000 else ""
    row = s.conn.execute(_MEMBER_SQL.encode(), [SERVICES]).fetchone()
    if row is None:
        # Whoever makes the role becomes a member; before 16 that inherits only if the role itself does.
        if not inherit and not fetch_one(s.conn, _INHERITS_SQL)[0]:
            raise _no_service(s, f"ALTER ROLE {user} INHERIT")
        return
    is_member, may_grant, inherits = row
    if is_member:
        return
    grant = f"GRANT {SERVICES} TO {user}{inherit}"
    if not inherit and not inherits:
        raise _no_service(s, f"ALTER ROLE {user} INHERIT; {grant}")
    if not may_grant:
        raise _no_service(s, grant)
    if rehearsed:
        return
    s.conn.execute(grant.encode())
    progress.note(f"made {s.user} a member of {SERVICES}, as which jobs run: {grant}")


def _no_service(s: Session, statements: str) -> DatabaseError:
    return DatabaseError(
        f"{s.user} does not inherit the rights of {SERVICES}, without which jobs fail; nothing was changed",
        hint=f"let a superuser, or who may grant {SERVICES}, say: {statements}",
    )
