"""On a Supabase project: everything applies, works and goes, as its role postgres, and what was there stays as it was.

tests/supabase.sql says what was there. Roles are the whole server's, so that the projects have one of their own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from pytest_postgresql.executors import NoopExecutor

from runner.catalog.describe import describe
from runner.catalog.differences import differences
from runner.contract.check import check
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.people import Person
from tests.runner.notes import Notes
from tests.servers import cluster
from tests.use import SYSTEMS, USES, run_jobs, use

LAYOUT = (Path(__file__).parent / "supabase.sql").read_text()

# As the smallest projects have it; all locks of a rollback of everything have to fit.
SETTINGS = {"max_connections": "60"}

# Rows of the whole catalog as they are stored, ids included, without what the server counts and estimates by itself,
# and without statistics.
CATALOGS_SQL = """
SELECT c.oid::regclass::text
FROM pg_class AS c
WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^pg_(statistic|largeobject$)'
"""
KEPT_BY_THE_SERVER = {
    "pg_class": "{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid,relhastriggers}",
    "pg_database": "{datfrozenxid,datminmxid}",
}
# None of these may even gain a row.
NOT_OURS = {
    *("pg_authid", "pg_auth_members", "pg_database", "pg_db_role_setting", "pg_default_acl", "pg_event_trigger"),
    *("pg_extension", "pg_language", "pg_parameter_acl", "pg_publication", "pg_publication_namespace"),
    *("pg_publication_rel", "pg_seclabel", "pg_shseclabel", "pg_shdescription", "pg_subscription", "pg_tablespace"),
}
OBJECTS_SQL = """
SELECT DISTINCT o.type, o.schema, o.identity
FROM pg_depend AS d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS o
WHERE o.schema IS DISTINCT FROM 'pg_toast'
"""
FOREIGN_KEY = ("trigger", '"RI_ConstraintTrigger" on auth.users')


def folder_policies(schema: str) -> set[tuple[str, str]]:
    """Return the policies of TP-17 as objects."""
    verbs = ("delete", "insert", "select")
    return {("policy", f'"{schema} documents: {verb} own" on storage.objects') for verb in verbs}


@dataclass(frozen=True)
class World:
    """All that is in a database: rows by catalog, objects as (type, schema, identity), buckets."""

    rows: dict[str, set[str]]
    objects: set[tuple[str, str | None, str]]
    buckets: list[Any]

    def gone(self, later: World) -> dict[str, set[str]]:
        """Return the rows that are no more, or no more as they were."""
        found = {catalog: rows - later.rows[catalog] for catalog, rows in self.rows.items()}
        return {catalog: rows for catalog, rows in found.items() if rows}

    def elsewhere(self, later: World, schemas: Sequence[str]) -> set[tuple[str, str]]:
        """Return type and identity of objects that have come since and are not in one of these schemas."""
        ours = re.compile(rf"( on |^for |^)({'|'.join(map(re.escape, schemas))})(\.|$)")
        new = {(kind, identity) for kind, schema, identity in later.objects - self.objects if schema not in schemas}
        return {(kind, re.sub(r"_[ac]_\d+", "", name)) for kind, name in new if not ours.search(name)}


@dataclass(frozen=True)
class Project:
    """A project's database: addresses by role."""

    address: str

    def url(self, role: str = "postgres") -> str:
        return make_conninfo(self.address, user=role)

    @contextmanager
    def connected(self, role: str, **options: Any) -> Iterator[psycopg.Connection[Any]]:
        with closing(psycopg.connect(self.url(role), **options)) as conn:
            yield conn

    def look(self) -> World:
        """Return all that is in the database."""
        with self.connected("supabase_admin", autocommit=True) as conn:
            conn.execute("SET search_path = pg_catalog")
            rows = {}
            for (catalog,) in conn.execute(CATALOGS_SQL).fetchall():
                text = (
                    f"(to_jsonb(c) - '{left}'::text[])::text"
                    if (left := KEPT_BY_THE_SERVER.get(catalog))
                    else "c::text"
                )
                # The server keeps its schemas for temporary tables.
                which = "nspname !~ '^pg_(toast_)?temp_'" if catalog == "pg_namespace" else "TRUE"
                rows[catalog] = {row for (row,) in conn.execute(f"SELECT {text} FROM {catalog} AS c WHERE {which}")}
            objects = {tuple(row) for row in conn.execute(OBJECTS_SQL)}
            buckets = conn.execute("SELECT b::text FROM storage.buckets AS b ORDER BY id").fetchall()
        return World(rows, objects, buckets)

    def describe(self, schema: str) -> dict[str, list[str]]:
        """Return the objects of a schema."""
        with self.connected("supabase_admin", autocommit=True) as conn:
            return describe(conn, schema, [schema, "platform", "extensions", "pg_temp"])


@pytest.fixture(scope="module")
def projects(bare: NoopExecutor) -> Iterator[Callable[[], Project]]:
    """Return a function that makes a new project, on a server that is Supabase's."""
    numbers = itertools.count(1)
    with cluster(bare, "supabase_admin", SETTINGS) as address:
        with psycopg.connect(address, autocommit=True) as conn:
            conn.execute(LAYOUT.encode())

        def project() -> Project:
            name = f"project_{next(numbers)}"
            with psycopg.connect(address, dbname="template1", autocommit=True) as conn:
                conn.execute(f"CREATE DATABASE {name} TEMPLATE postgres OWNER postgres")
            return Project(make_conninfo(address, dbname=name))

        yield project


@pytest.fixture
def project(projects: Callable[[], Project]) -> Project:
    """A project of this test's own."""
    return projects()


def install(project: Project, system: str, schema: str) -> None:
    """Apply a system as postgres, without any warning."""
    told = Notes()
    apply(Target(project.url(), [system], schema), progress=told)
    assert told.notes == []


def uninstall(project: Project) -> None:
    """Undo everything as postgres, without any warning."""
    told = Notes()
    rollback(Target(project.url()), everything=True, discard_data=True, progress=told)
    assert told.notes == []


def see_to_the_rest(before: World, after: World, schemas: Sequence[str], expected: set[tuple[str, str]]) -> None:
    """See that nothing that was there has changed, and that what has come outside of `schemas` is what is expected."""
    assert before.gone(after) == {}
    assert {catalog for catalog in NOT_OURS if after.rows[catalog] != before.rows[catalog]} == set()
    assert before.elsewhere(after, [*schemas, "platform"]) == expected


def see_that_nothing_is_left(before: World, after: World) -> None:
    """See that everything is as it was, down to ids and the way in which privileges are written."""
    assert (before.gone(after), after.gone(before)) == ({}, {})
    assert after == before


def live(project: Project, system: str, schema: str) -> None:
    """Use an instance as PostgREST and the authentication server do, and see what each person sees."""
    with ExitStack() as stack:
        api = Person(stack.enter_context(project.connected("authenticator")), schema)
        auth = Person(stack.enter_context(project.connected("supabase_auth_admin")), schema)
        use(USES[system], api, auth)
        assert check(Target(project.url("authenticator"), [system], schema))[0].broken == []
        run_jobs(Person(stack.enter_context(project.connected("postgres", autocommit=True)), schema))


def test_all_systems_stand_beside_what_was_there(project: Project) -> None:
    before = project.look()
    with project.connected("authenticator", autocommit=True) as listener:
        listener.execute("LISTEN pgrst")
        for system in SYSTEMS:
            install(project, system, system)
        heard = {notice.payload for notice in listener.notifies(timeout=5, stop_after=1)}
    assert heard == {"reload schema"}
    after = project.look()
    see_to_the_rest(before, after, SYSTEMS, {FOREIGN_KEY} | folder_policies("thinking_partner"))
    (bucket,) = set(after.buckets) - set(before.buckets)
    assert bucket[0].startswith("(documents,documents,")
    for system in SYSTEMS:
        live(project, system, system)
    uninstall(project)
    see_that_nothing_is_left(before, project.look())


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_in_public_is_as_closed_as_in_a_schema_of_its_own(project: Project, system: str) -> None:
    before = project.look()
    for schema in (system, "public"):
        install(project, system, schema)
    after = project.look()
    folders = folder_policies(system) | folder_policies("public") if system == "thinking_partner" else set()
    keys = {FOREIGN_KEY} if USES[system].of_auth else set()
    see_to_the_rest(before, after, [system, "public"], keys | folders)
    # Also what is made later.
    for later in USES[system].later:
        with project.connected("authenticator") as conn:
            for schema in (system, "public"):
                with Person(conn, schema).as_service() as service:
                    service.run(later)
            conn.commit()
    own, public = project.describe(system), project.describe("public")
    assert len(own) > 30
    # Schema public belongs to the database's owner, and has its privileges and default privileges from before.
    others = re.compile(r"schema|default privileges|.*: owner is postgres, ")
    assert [line for line in differences(own, public) if not others.match(line)] == []
    live(project, system, "public")
    uninstall(project)
    see_that_nothing_is_left(before, project.look())
