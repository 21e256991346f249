"""Where there is Supabase's storage: a bucket with a folder for everybody, beside what is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.migrate.rollback import rollback
from tests.people import Person
from tests.runner.notes import Notes

BEFORE = "0059_functions"
ONE, TWO = "thinking_partner", "thinking_acme"

# As much of it as the file needs.
STORAGE = """
CREATE SCHEMA storage;
CREATE TABLE storage.buckets (
    id text PRIMARY KEY,
    name text NOT NULL UNIQUE,
    public boolean DEFAULT FALSE,
    file_size_limit bigint,
    allowed_mime_types text[]
);
CREATE TABLE storage.objects (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    bucket_id text REFERENCES storage.buckets (id),
    name text NOT NULL,
    owner uuid
);
ALTER TABLE storage.buckets ENABLE ROW LEVEL SECURITY;
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION storage.foldername(name text) RETURNS text[] LANGUAGE sql IMMUTABLE
RETURN (string_to_array(name, '/'))[1:cardinality(string_to_array(name, '/')) - 1];
GRANT USAGE ON SCHEMA storage TO anon, authenticated, service_role;
GRANT ALL ON storage.buckets, storage.objects TO anon, authenticated, service_role;
"""
BUCKET = (
    "documents",
    "documents",
    False,
    26_214_400,
    [
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "text/plain",
        "text/markdown",
    ],
)


@pytest.fixture
def schema() -> str:
    return ONE


@pytest.fixture
def supabase(empty_database: str) -> Iterator[Person]:
    """The owner of a database with a storage schema and nothing else but the roles, auth and pgvector."""
    apply(Target(empty_database, ["thinking_partner"]), to="0001")
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute(STORAGE.encode())
        yield Person(conn, ONE)


def install(url: str, schema: str = ONE) -> list[str]:
    """Apply an instance and return what is told meanwhile."""
    told = Notes()
    apply(Target(url, ["thinking_partner"], schema), progress=told)
    return told.notes


def uninstall(url: str, schema: str = ONE) -> list[str]:
    """Undo the bucket of an instance and return what is told meanwhile."""
    told = Notes()
    rollback(Target(url, ["thinking_partner"], schema), to=BEFORE, discard_data=True, progress=told)
    return told.notes


def buckets(db: Person) -> list[Any]:
    return db.rows("SELECT id, name, public, file_size_limit, allowed_mime_types FROM storage.buckets")


def policies(db: Person) -> list[str]:
    rows = db.rows("SELECT policyname FROM pg_policies WHERE schemaname = 'storage' ORDER BY 1")
    return [row.policyname for row in rows]


def own(schema: str) -> list[str]:
    return [f"{schema} documents: {verb} own" for verb in ("delete", "insert", "select")]


def put(db: Person, user: UUID, name: str, bucket: str = "documents") -> None:
    db.run("INSERT INTO storage.objects (bucket_id, name, owner) VALUES (%s, %s, %s)", [bucket, name, user])


@pytest.mark.rule("TP-17", "accepts")
def test_a_private_bucket_and_its_policies_are_made(supabase: Person, empty_database: str) -> None:
    assert install(empty_database) == []
    assert buckets(supabase) == [BUCKET]
    assert policies(supabase) == own(ONE)
    assert supabase.rows("SELECT DISTINCT roles FROM pg_policies WHERE schemaname = 'storage'") == [
        (["authenticated"],)
    ]


@pytest.mark.rule("TP-17", "accepts")
def test_everybody_has_a_folder_of_their_own(supabase: Person, empty_database: str) -> None:
    install(empty_database)
    ann, bob = uuid4(), uuid4()
    for user in (ann, bob):
        with supabase.as_user(user):
            put(supabase, user, f"{user}/1/original.pdf")
            put(supabase, user, f"{user}/deep/er/a.md")
    with supabase.as_user(ann):
        assert supabase.rows("SELECT name FROM storage.objects ORDER BY name") == [
            (f"{ann}/1/original.pdf",),
            (f"{ann}/deep/er/a.md",),
        ]
        assert supabase.run("DELETE FROM storage.objects") == 2
    assert supabase.value("SELECT count(*) FROM storage.objects") == 2


@pytest.mark.rule("TP-17", "refuses")
def test_nobody_reaches_another_folder(supabase: Person, empty_database: str) -> None:
    install(empty_database)
    supabase.run("INSERT INTO storage.buckets (id, name) VALUES ('avatars', 'avatars')")
    ann, bob = uuid4(), uuid4()
    for name in (f"{bob}/1/original.pdf", "original.pdf"):
        put(supabase, bob, name)
    put(supabase, ann, f"{ann}/face.png", "avatars")
    with supabase.as_user(ann):
        for name in (f"{bob}/2.pdf", "a.pdf", f"{ann}", f"/{ann}/a.pdf", f"{ann}x/a.pdf", f"{bob}/{ann}/a.pdf", ""):
            with supabase.refused(sqlstate="42501"):
                put(supabase, ann, name)
        with supabase.refused(sqlstate="42501"):
            put(supabase, ann, f"{ann}/other.png", "avatars")
        assert supabase.rows("SELECT name FROM storage.objects") == []
        assert supabase.run("DELETE FROM storage.objects") == 0
        # What is there stays as it is: it is deleted and put again.
        put(supabase, ann, f"{ann}/a.pdf")
        assert supabase.run("UPDATE storage.objects SET name = name") == 0
    with supabase.as_anon():
        assert supabase.rows("SELECT name FROM storage.objects") == []
        with supabase.refused(sqlstate="42501"):
            put(supabase, ann, f"{ann}/b.pdf")


@pytest.mark.rule("TP-17", "accepts")
@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)])
def test_instances_stand_beside_each_other_and_the_last_takes_the_bucket_away(
    supabase: Person, empty_database: str, order: tuple[str, str]
) -> None:
    for schema in (ONE, TWO):
        assert install(empty_database, schema) == []
    assert policies(supabase) == sorted(own(ONE) + own(TWO))
    assert uninstall(empty_database, order[0]) == []
    assert buckets(supabase) == [BUCKET]
    assert policies(supabase) == own(order[1])
    assert uninstall(empty_database, order[1]) == []
    assert buckets(supabase) == []
    assert policies(supabase) == []


@pytest.mark.rule("TP-17", "accepts")
def test_it_can_be_made_again(supabase: Person, empty_database: str) -> None:
    install(empty_database)
    uninstall(empty_database)
    assert (buckets(supabase), policies(supabase)) == ([], [])
    install(empty_database)
    assert (buckets(supabase), policies(supabase)) == ([BUCKET], own(ONE))


@pytest.mark.rule("TP-17", "refuses")
def test_a_bucket_that_was_there_stays_as_it_is(supabase: Person, empty_database: str) -> None:
    supabase.run("INSERT INTO storage.buckets (id, name, public) VALUES ('documents', 'documents', TRUE)")
    supabase.run('CREATE POLICY "Everybody\'s documents: all" ON storage.objects TO authenticated USING (FALSE)')
    found = buckets(supabase)
    for schema in (ONE, TWO):
        install(empty_database, schema)
    assert buckets(supabase) == found
    for schema in (ONE, TWO):
        uninstall(empty_database, schema)
    assert buckets(supabase) == found
    assert policies(supabase) == ["Everybody's documents: all"]


@pytest.mark.rule("TP-17", "refuses")
def test_a_bucket_with_files_is_not_removed(supabase: Person, empty_database: str) -> None:
    install(empty_database)
    put(supabase, uuid4(), "a/b.pdf")
    uninstall(empty_database)
    assert buckets(supabase) == [BUCKET]
    assert policies(supabase) == []
    assert supabase.value("SELECT count(*) FROM storage.objects") == 1


# What the applying role may do with storage, and why that is too little.
TOO_LITTLE = {
    "nothing": "REVOKE USAGE ON SCHEMA storage FROM anon, authenticated, service_role",
    "what API roles may": "",
    "make buckets": "CREATE POLICY all_buckets ON storage.buckets TO {role} USING (TRUE)",
    "make policies": "ALTER TABLE storage.objects OWNER TO {role}",
}


@pytest.fixture
def deployer(supabase: Person, empty_database: str) -> Iterator[tuple[str, str]]:
    """The name of a role that owns the database but not its storage, and the address under which it connects."""
    database = supabase.value("SELECT current_database()")
    role = f"deployer_{database}"
    supabase.run(f"CREATE ROLE {role} LOGIN PASSWORD 'deployer'; GRANT anon, authenticated, service_role TO {role}")
    supabase.run(f"GRANT CREATE ON DATABASE {database} TO {role}; GRANT USAGE ON SCHEMA extensions, auth TO {role}")
    supabase.run(f"GRANT REFERENCES, SELECT ON auth.users TO {role}; GRANT EXECUTE ON FUNCTION auth.uid() TO {role}")
    rollback(Target(empty_database), everything=True, discard_data=True)
    try:
        yield role, make_conninfo(empty_database, user=role, password="deployer")
    finally:
        supabase.run(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.rule("TP-17", "refuses")
@pytest.mark.parametrize("may", TOO_LITTLE)
def test_who_may_not_make_a_bucket_is_warned_and_has_everything_else(
    supabase: Person, deployer: tuple[str, str], may: str
) -> None:
    role, url = deployer
    supabase.run(TOO_LITTLE[may].format(role=role))
    before = policies(supabase)
    (told,) = install(url)
    assert told.startswith('server: the bucket "documents" and its policies were not made')
    assert (buckets(supabase), policies(supabase)) == ([], before)
    assert supabase.value("SELECT count(*) FROM jobs") == 1
    assert supabase.value("SELECT relowner::regrole::text FROM pg_class WHERE oid = 'memories'::regclass") == role
    rollback(Target(url, ["thinking_partner"]), everything=True, discard_data=True)
    assert supabase.value("SELECT to_regnamespace('thinking_partner')") is None


@pytest.mark.rule("TP-17", "accepts")
def test_who_may_make_it_need_not_be_superuser(supabase: Person, deployer: tuple[str, str]) -> None:
    role, url = deployer
    supabase.run(f"GRANT USAGE ON SCHEMA storage TO {role}")
    supabase.run(f"ALTER TABLE storage.buckets OWNER TO {role}; ALTER TABLE storage.objects OWNER TO {role}")
    assert install(url) == []
    assert (buckets(supabase), policies(supabase)) == ([BUCKET], own(ONE))
    rollback(Target(url, ["thinking_partner"]), everything=True, discard_data=True)
    assert (buckets(supabase), policies(supabase)) == ([], [])


@pytest.mark.rule("TP-17", "accepts")
@pytest.mark.parametrize(
    "partial", ["", "CREATE SCHEMA storage", "CREATE SCHEMA storage; CREATE TABLE storage.buckets (id text)"]
)
def test_without_storage_nothing_is_done(empty_database: str, partial: str) -> None:
    with psycopg.connect(empty_database, autocommit=True) as conn:
        conn.execute((partial or "SELECT").encode())
        assert install(empty_database) == []
        db = Person(conn, ONE)
        assert policies(db) == []
        assert db.rows("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('storage')") == (
            [("buckets",)] if "TABLE" in partial else []
        )
        assert uninstall(empty_database) == []
        assert db.value("SELECT count(*) FROM memories") == 0
