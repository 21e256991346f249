"""Knowledge bases, their links with characters, documents, chunks, and counters that are true after every change."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, build_world, collect, create, cut, upload
from tests.people import Person, blocked, insert
from tests.vectors import vector

STATES = ("pending", "processing", "completed", "failed", "archived")
STEPS = {
    ("pending", "processing"),
    ("processing", "completed"),
    ("processing", "failed"),
    ("failed", "pending"),
    ("archived", "pending"),
    *((state, "archived") for state in STATES),
}
LINK = "INSERT INTO character_knowledge_bases (character_id, knowledge_base_id) VALUES (%s, %s)"


def acting(db: Person, world: World, service: bool) -> AbstractContextManager[Person]:
    """Act as Ann, or as a service."""
    return db.as_service() if service else db.as_user(world.ann.sub)


both = pytest.mark.parametrize("service", [False, True], ids=["user", "service"])


# Knowledge bases


@pytest.mark.rule("VRM-17", "accepts")
def test_a_knowledge_base_is_its_makers_by_default(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        row = db.row("INSERT INTO knowledge_bases (name) VALUES ('Facts') RETURNING *")
    assert (row.user_id, row.character_id, row.document_count, row.total_chunks) == (world.ann.id, None, 0, 0)


@pytest.mark.rule("VRM-17", "refuses")
def test_nobody_makes_one_for_another(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub), db.refused(sqlstate="42501"):
        collect(db, world.bob)


@pytest.mark.rule("VRM-17", "refuses")
def test_a_service_says_whose_it_is(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused(sqlstate="23502"):
            db.run("INSERT INTO knowledge_bases (name) VALUES ('Facts')")
        collect(db, world.ann)
    assert db.value("SELECT user_id FROM knowledge_bases") == world.ann.id


@pytest.mark.rule("VRM-17", "refuses")
@both
@pytest.mark.parametrize("name", ["", "  ", "\t\n", None])
def test_a_knowledge_base_has_a_name(db: Person, world: World, service: bool, name: str | None) -> None:
    with acting(db, world, service):
        if name is None:
            with db.refused(sqlstate="23502"):
                collect(db, world.ann, name=name)
        else:
            with db.refused("knowledge_bases_name_check", "23514"):
                collect(db, world.ann, name=name)


@pytest.mark.rule("VRM-17", "accepts")
@both
def test_the_home_character_is_of_the_same_owner(db: Person, world: World, service: bool) -> None:
    with acting(db, world, service):
        base = collect(db, world.ann, character_id=world.ann.character)
        second = create(db, world.ann.id, slug="second")
        db.run("UPDATE knowledge_bases SET character_id = %s", [second])
        assert db.value("SELECT character_id FROM knowledge_bases WHERE id = %s", [base]) == second
        db.run("UPDATE knowledge_bases SET character_id = NULL")
        assert db.value("SELECT character_id FROM knowledge_bases WHERE id = %s", [base]) is None


@pytest.mark.rule("VRM-17", "refuses")
@both
def test_the_home_character_is_nobody_elses(db: Person, world: World, service: bool) -> None:
    with acting(db, world, service):
        base = collect(db, world.ann)
        for character in (world.bob.character, uuid4()):
            with db.refused("knowledge_bases_character_id_fkey", "23503"):
                collect(db, world.ann, character_id=character)
            with db.refused("knowledge_bases_character_id_fkey", "23503"):
                db.run("UPDATE knowledge_bases SET character_id = %s WHERE id = %s", [character, base])


@pytest.mark.rule("VRM-17", "refuses")
@both
def test_a_knowledge_base_stays_with_its_owner(db: Person, world: World, service: bool) -> None:
    base = collect(db, world.ann)
    with acting(db, world, service):
        for change in ("user_id", "id"):
            with db.refused("knowledge_bases_immutable_check", "23514"):
                db.run(f"UPDATE knowledge_bases SET {change} = %s WHERE id = %s", [world.bob.id, base])
        assert db.run("UPDATE knowledge_bases SET id = id, user_id = user_id, name = 'Same' WHERE id = %s", [base]) == 1


# Links


@pytest.mark.rule("VRM-17", "accepts")
@both
@pytest.mark.parametrize("stated", [False, True])
def test_a_link_joins_what_is_of_one_owner(db: Person, world: World, service: bool, stated: bool) -> None:
    second = create(db, world.ann.id, slug="second")
    bases = [collect(db, world.ann), collect(db, world.ann)]
    with acting(db, world, service):
        for character, base in product((world.ann.character, second), bases):
            columns = {"character_id": character, "knowledge_base_id": base}
            columns |= {"user_id": world.ann.id} if stated else {}
            names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
            db.run(f"INSERT INTO character_knowledge_bases ({names}) VALUES ({marks})", columns)
    rows = db.rows("SELECT * FROM character_knowledge_bases")
    assert len(rows) == 4
    assert {row.user_id for row in rows} == {world.ann.id}


@pytest.mark.rule("VRM-17", "refuses")
@both
def test_a_link_joins_nothing_of_two_owners(db: Person, world: World, service: bool) -> None:
    anns, bobs = collect(db, world.ann), collect(db, world.bob)
    character, base = (f"character_knowledge_bases_{key}_fkey" for key in ("character_id", "knowledge_base_id"))
    stated = "INSERT INTO character_knowledge_bases (character_id, knowledge_base_id, user_id) VALUES (%s, %s, %s)"
    with acting(db, world, service):
        for foreign in (bobs, uuid4()):
            with db.refused(base, "23503"):
                db.run(LINK, [world.ann.character, foreign])
            with db.refused(base, "23503"):
                db.run(stated, [world.ann.character, foreign, world.ann.id])
        for theirs in (world.bob.character, uuid4()):
            # To a service Bob's character is one, but not of the owner of the knowledge base.
            with db.refused(base if service and theirs == world.bob.character else character, "23503"):
                db.run(LINK, [theirs, anns])
            with db.refused(character, "23503"):
                db.run(stated, [theirs, anns, world.ann.id])
        for missing in ((None, anns), (world.ann.character, None)):
            with db.refused(sqlstate="23503" if missing[0] is None else "23502"):
                db.run(LINK, missing)
    assert db.rows("SELECT * FROM character_knowledge_bases") == []


@pytest.mark.rule("VRM-17", "refuses")
def test_a_link_is_there_once_and_stays_what_it_is(db: Person, world: World) -> None:
    base = collect(db, world.ann)
    db.run(LINK, [world.ann.character, base])
    with db.as_user(world.ann.sub):
        with db.refused("character_knowledge_bases_pkey", "23505"):
            db.run(LINK, [world.ann.character, base])
        with db.refused(sqlstate="42501"):
            db.run("UPDATE character_knowledge_bases SET knowledge_base_id = knowledge_base_id")
    other, second = collect(db, world.ann), create(db, world.ann.id, slug="second")
    with db.as_service():
        for column, value in {"knowledge_base_id": other, "character_id": second, "user_id": world.bob.id}.items():
            with db.refused("character_knowledge_bases_immutable_check", "23514"):
                db.run(f"UPDATE character_knowledge_bases SET {column} = %s", [value])


@pytest.mark.rule("VRM-17", "accepts")
def test_links_go_with_either_side_and_by_themselves(db: Person, world: World) -> None:
    second = create(db, world.ann.id, slug="second")
    one, two, three = (collect(db, world.ann) for _ in range(3))
    for character, base in ((world.ann.character, one), (second, one), (world.ann.character, two), (second, three)):
        db.run(LINK, [character, base])
    with db.as_user(world.ann.sub):
        assert db.run("DELETE FROM knowledge_bases WHERE id = %s", [two]) == 1
        assert db.run("DELETE FROM character_knowledge_bases WHERE knowledge_base_id = %s", [three]) == 1
    left = "SELECT character_id FROM character_knowledge_bases ORDER BY created_at"
    assert {row.character_id for row in db.rows(left)} == {world.ann.character, second}
    # No API role deletes a character; whoever runs the database may.
    db.run("DELETE FROM characters WHERE id = %s", [second])
    assert [row.character_id for row in db.rows(left)] == [world.ann.character]


@pytest.mark.rule("VRM-17", "accepts")
def test_a_knowledge_base_outlives_its_home_character(db: Person, world: World) -> None:
    home = create(db, world.ann.id, slug="home")
    base = collect(db, world.ann, character_id=home)
    db.run("DELETE FROM characters WHERE id = %s", [home])
    row = db.row("SELECT character_id, user_id FROM knowledge_bases WHERE id = %s", [base])
    assert row == (None, world.ann.id)


# Documents


@pytest.mark.rule("VRM-18", "accepts")
@both
def test_a_document_is_of_the_owner_of_its_knowledge_base(db: Person, world: World, service: bool) -> None:
    base = collect(db, world.ann)
    with acting(db, world, service):
        row = db.row("SELECT * FROM documents WHERE id = %s", [upload(db, base)])
        assert (row.user_id, row.status, row.chunk_count, row.metadata) == (world.ann.id, "pending", 0, {})
        chunk = db.row("SELECT * FROM document_chunks WHERE id = %s", [cut(db, row.id)])
        assert chunk.user_id == world.ann.id


@pytest.mark.rule("VRM-18", "refuses")
@both
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("file_type", "", "documents_file_type_check"),
        ("file_type", " \n", "documents_file_type_check"),
        ("filename", "", "documents_filename_check"),
        ("status", "done", "documents_status_check"),
        ("file_type", None, None),
        ("filename", None, None),
        ("status", None, None),
        ("metadata", None, None),
    ],
)
def test_an_improper_document_is_refused(
    db: Person, world: World, service: bool, column: str, value: str | None, rule: str | None
) -> None:
    base = collect(db, world.ann)
    with acting(db, world, service), db.refused(rule, "23514" if rule else "23502"):
        upload(db, base, **{column: value})


@pytest.mark.rule("VRM-18", "accepts")
@pytest.mark.rule("VRM-18", "refuses")
@both
@pytest.mark.parametrize(("old", "new"), [pair for pair in product(STATES, STATES) if pair[0] != pair[1]])
def test_a_document_takes_the_steps_of_processing(db: Person, world: World, service: bool, old: str, new: str) -> None:
    document = upload(db, collect(db, world.ann), status="pending")
    reach(db, document, old)
    with acting(db, world, service):
        change = "UPDATE documents SET status = %s WHERE id = %s"
        if (old, new) in STEPS:
            assert db.run(change, [new, document]) == 1
            assert db.value("SELECT status FROM documents WHERE id = %s", [document]) == new
        else:
            with db.refused("documents_status_transition_check", "23514") as caught:
                db.run(change, [new, document])
            allowed = [state for state in STATES if (old, state) in STEPS and state != old]
            hint = caught.value.diag.message_hint
            assert hint is not None
            assert all(state in hint for state in allowed)
            assert old in str(caught.value) and new in str(caught.value)


def reach(db: Person, document: UUID, state: str) -> None:
    """Bring a document into a state, without the triggers that guard the way there."""
    db.run("SET LOCAL session_replication_role = replica")
    db.run("UPDATE documents SET status = %s WHERE id = %s", [state, document])
    db.run("SET LOCAL session_replication_role = origin")


@pytest.mark.rule("VRM-18", "accepts")
@both
@pytest.mark.parametrize("state", STATES)
def test_staying_in_a_state_is_no_step(db: Person, world: World, service: bool, state: str) -> None:
    document = upload(db, collect(db, world.ann))
    reach(db, document, state)
    with acting(db, world, service):
        assert db.run("UPDATE documents SET status = %s, filename = 'b.md' WHERE id = %s", [state, document]) == 1


@pytest.mark.rule("VRM-18", "refuses")
@pytest.mark.parametrize("state", STATES[1:])
def test_a_user_starts_with_a_pending_document_and_a_service_anywhere(db: Person, world: World, state: str) -> None:
    base = collect(db, world.ann)
    with db.as_user(world.ann.sub), db.refused("documents_status_transition_check", "42501"):
        upload(db, base, status=state)
    with db.as_service():
        assert db.value("SELECT status FROM documents WHERE id = %s", [upload(db, base, status=state)]) == state


@pytest.mark.rule("VRM-18", "accepts")
@both
def test_a_document_moves_among_ones_own_knowledge_bases(db: Person, world: World, service: bool) -> None:
    one, two = collect(db, world.ann), collect(db, world.ann)
    bobs = collect(db, world.bob)
    document = upload(db, one)
    cut(db, document)
    move = "UPDATE documents SET knowledge_base_id = %s WHERE id = %s"
    with acting(db, world, service):
        db.run(move, [two, document])
        for foreign in (bobs, uuid4()):
            with db.refused("documents_knowledge_base_id_fkey", "23503"):
                db.run(move, [foreign, document])
        for column in ("id", "user_id"):
            with db.refused("documents_immutable_check", "23514"):
                db.run(f"UPDATE documents SET {column} = %s", [world.bob.id])
    assert counted(db) == {one: (0, 0), two: (1, 1), bobs: (0, 0)}


@pytest.mark.rule("VRM-18", "accepts")
def test_only_a_service_says_when_a_document_was_uploaded(db: Person, world: World) -> None:
    base = collect(db, world.ann)
    when = "SELECT uploaded_at = '2020-01-01' FROM documents WHERE id = %s"
    for service in (False, True):
        with acting(db, world, service):
            document = upload(db, base, uploaded_at="2020-01-01")
            assert db.value(when, [document]) is service
            db.run("UPDATE documents SET uploaded_at = '2021-01-01' WHERE id = %s", [document])
            assert db.value(when, [document]) is service


# Chunks


@pytest.mark.rule("VRM-19", "accepts")
@both
def test_a_chunk_has_its_place_in_its_document(db: Person, world: World, service: bool) -> None:
    base = collect(db, world.ann)
    one, two = upload(db, base), upload(db, base)
    with acting(db, world, service):
        for document, place in product((one, two), (0, 1, 2**31 - 1)):
            cut(db, document, place, embedding=vector(1))
        db.run("UPDATE document_chunks SET chunk_index = 5, content = 'Better' WHERE chunk_index = 1")
    assert db.value("SELECT count(*) FROM document_chunks WHERE chunk_index = 5") == 2


@pytest.mark.rule("VRM-19", "refuses")
@both
@pytest.mark.parametrize(
    ("column", "value", "rule", "sqlstate"),
    [
        ("chunk_index", -1, "document_chunks_chunk_index_check", "23514"),
        ("chunk_index", 0, "document_chunks_document_id_chunk_index_key", "23505"),
        ("content", " ", "document_chunks_content_check", "23514"),
        ("embedding", vector(0), "document_chunks_embedding_check", "23514"),
        ("embedding", vector(1e-16), "document_chunks_embedding_check", "23514"),
        ("embedding", vector(1e16), "document_chunks_embedding_check", "23514"),
        ("embedding", "[1,2,3]", None, "22000"),
        ("document_id", uuid4(), "document_chunks_document_id_fkey", "23503"),
        ("content", None, None, "23502"),
        ("chunk_index", None, None, "23502"),
        ("metadata", None, None, "23502"),
    ],
)
def test_an_improper_chunk_is_refused(
    db: Person, world: World, service: bool, column: str, value: Any, rule: str | None, sqlstate: str
) -> None:
    document = upload(db, collect(db, world.ann))
    cut(db, document)
    with acting(db, world, service), db.refused(rule, sqlstate):
        insert(db, "document_chunks", **{"document_id": document, "chunk_index": 1, "content": "A part", column: value})


@pytest.mark.rule("VRM-19", "refuses")
@both
def test_a_chunk_stays_where_it_is(db: Person, world: World, service: bool) -> None:
    base = collect(db, world.ann)
    cut(db, upload(db, base))
    other = upload(db, base)
    with acting(db, world, service):
        for column, value in {"document_id": other, "id": other, "user_id": world.bob.id}.items():
            with db.refused("document_chunks_immutable_check", "23514"):
                db.run(f"UPDATE document_chunks SET {column} = %s", [value])


@pytest.mark.rule("VRM-19", "accepts")
def test_only_a_service_says_when_a_chunk_was_made(db: Person, world: World) -> None:
    document = upload(db, collect(db, world.ann))
    for place, service in enumerate((False, True)):
        with acting(db, world, service):
            made = "SELECT created_at::date::text FROM document_chunks WHERE id = %s"
            chunk = cut(db, document, place, created_at="2020-01-01")
            assert (db.value(made, [chunk]) == "2020-01-01") is service
            db.run("UPDATE document_chunks SET created_at = '2021-01-01' WHERE id = %s", [chunk])
            assert (db.value(made, [chunk]) == "2021-01-01") is service


# Counters

COUNTED = "SELECT id, document_count, total_chunks FROM knowledge_bases"
FROM_SCRATCH = """
SELECT
    kb.id,
    count(DISTINCT d.id) AS document_count,
    count(c.id) AS total_chunks
FROM knowledge_bases AS kb
LEFT JOIN documents AS d ON d.knowledge_base_id = kb.id
LEFT JOIN document_chunks AS c ON c.document_id = d.id
GROUP BY kb.id
"""
WRONG_CHUNK_COUNTS = """
SELECT d.id, d.chunk_count, count(c.id)
FROM documents AS d
LEFT JOIN document_chunks AS c ON c.document_id = d.id
GROUP BY d.id
HAVING d.chunk_count <> count(c.id)
"""


def counted(db: Person) -> dict[UUID, tuple[int, int]]:
    """Return document_count and total_chunks of all knowledge bases, which must be what counting from scratch gives."""
    kept, true = ({row[0]: tuple(row[1:]) for row in db.rows(sql)} for sql in (COUNTED, FROM_SCRATCH))
    assert kept == true
    assert db.rows(WRONG_CHUNK_COUNTS) == []
    return kept


@pytest.mark.rule("VRM-18", "accepts")
@both
def test_counters_are_true_after_every_change(db: Person, world: World, service: bool) -> None:
    one, two = collect(db, world.ann), collect(db, world.ann)
    empty = collect(db, world.ann)
    with acting(db, world, service):
        document, other = upload(db, one), upload(db, one, filename="b.md")
        db.run(
            "INSERT INTO document_chunks (document_id, chunk_index, content)"
            " SELECT d, n, 'A part' FROM generate_series(0, 99) AS n, unnest(%s::uuid[]) AS d",
            [[document, other]],
        )
        assert counted(db) == {one: (2, 200), two: (0, 0), empty: (0, 0)}
        db.run("UPDATE documents SET knowledge_base_id = %s WHERE id = %s", [two, document])
        assert counted(db) == {one: (1, 100), two: (1, 100), empty: (0, 0)}
        db.run("DELETE FROM document_chunks WHERE chunk_index % 10 = 0")
        assert counted(db) == {one: (1, 90), two: (1, 90), empty: (0, 0)}
        # An upsert inserts one and updates the other.
        db.run(
            "INSERT INTO document_chunks (document_id, chunk_index, content) VALUES (%s, 0, 'New'), (%s, 1, 'Changed')"
            " ON CONFLICT (document_id, chunk_index) DO UPDATE SET content = excluded.content",
            [document, document],
        )
        assert counted(db) == {one: (1, 90), two: (1, 91), empty: (0, 0)}
        # Archived ones are documents, too.
        db.run("UPDATE documents SET status = 'archived' WHERE id = %s", [document])
        assert counted(db) == {one: (1, 90), two: (1, 91), empty: (0, 0)}
    with db.as_service():
        db.run("DELETE FROM documents WHERE id = %s", [document])
        assert counted(db) == {one: (1, 90), two: (0, 0), empty: (0, 0)}
    with acting(db, world, service):
        db.run("DELETE FROM knowledge_bases WHERE id = %s", [one])
        assert counted(db) == {two: (0, 0), empty: (0, 0)}


@pytest.mark.rule("VRM-18", "refuses")
@both
def test_nobody_writes_the_counters(db: Person, world: World, service: bool) -> None:
    """What is sent for them is passed over, since clients send whole rows."""
    with acting(db, world, service):
        base = collect(db, world.ann, document_count=7, total_chunks=7)
        document = upload(db, base, chunk_count=7)
        cut(db, document)
        db.run("UPDATE knowledge_bases SET document_count = 9, total_chunks = 9")
        db.run("UPDATE documents SET chunk_count = 9")
        assert counted(db) == {base: (1, 1)}


@pytest.mark.rule("VRM-18", "refuses")
@pytest.mark.parametrize(
    ("table", "column"),
    [("knowledge_bases", "document_count"), ("knowledge_bases", "total_chunks"), ("documents", "chunk_count")],
)
def test_no_counter_is_negative(db: Person, world: World, table: str, column: str) -> None:
    upload(db, collect(db, world.ann))
    with db.refused(f"{table}_{column}_check", "23514"):
        db.run(f"UPDATE {table} SET {column} = -1")


@pytest.mark.rule("VRM-18", "accepts")
def test_counting_is_no_change_that_somebody_made(db: Person, world: World) -> None:
    base = collect(db, world.ann)
    db.run("UPDATE knowledge_bases SET created_at = '2020-01-01'")
    db.run("SET LOCAL session_replication_role = replica")
    db.run("UPDATE knowledge_bases SET updated_at = '2020-01-01'")
    db.run("SET LOCAL session_replication_role = origin")
    logged = "SELECT count(*) FROM audit_logs WHERE action = 'update'"
    before = db.value(logged)
    with db.as_user(world.ann.sub):
        cut(db, upload(db, base))
    assert db.value("SELECT updated_at = '2020-01-01' FROM knowledge_bases") is True
    assert db.value(logged) == before


def changes(source: random.Random, ann: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield changes without end, most of many rows."""
    some = "(SELECT id FROM {} WHERE user_id = %(ann)s ORDER BY md5(id::text || %(seed)s) LIMIT %(limit)s)"
    bases, documents = some.format("knowledge_bases"), some.format("documents")
    while True:
        given = {"ann": ann, "seed": str(source.random()), "limit": source.randint(0, 5), "rows": source.randint(0, 9)}
        yield (
            source.choice(
                [
                    "INSERT INTO knowledge_bases (user_id, name) VALUES (%(ann)s, 'Facts'), (%(ann)s, 'More')",
                    "INSERT INTO documents (knowledge_base_id, filename, file_type)"
                    f" SELECT b.id, n::text, 'md' FROM {bases} AS b, generate_series(1, %(rows)s) AS n",
                    "INSERT INTO document_chunks (document_id, chunk_index, content)"
                    f" SELECT d.id, n, 'A part' FROM {documents} AS d, generate_series(1, %(rows)s) AS n"
                    " ON CONFLICT DO NOTHING",
                    "INSERT INTO document_chunks (document_id, chunk_index, content)"
                    f" SELECT d.id, n, 'A part' FROM {documents} AS d, generate_series(3, %(rows)s) AS n"
                    " ON CONFLICT (document_id, chunk_index) DO UPDATE SET content = 'Changed'",
                    f"UPDATE documents SET knowledge_base_id = (SELECT min(id::text)::uuid FROM {bases} AS b)"
                    f" WHERE id IN {documents} AND EXISTS {bases}",
                    f"UPDATE documents AS d SET knowledge_base_id = b.id FROM {bases} AS b WHERE d.id IN {documents}",
                    f"DELETE FROM document_chunks WHERE document_id IN {documents} AND chunk_index %% 3 = 0",
                    f"DELETE FROM documents WHERE id IN {documents} AND %(rows)s > 4",
                    f"DELETE FROM knowledge_bases WHERE id IN {bases} AND %(rows)s > 7",
                    f"WITH gone AS (DELETE FROM document_chunks WHERE document_id IN {documents} AND chunk_index = 1)"
                    " UPDATE documents SET filename = 'b.md'",
                    f"WITH gone AS (DELETE FROM document_chunks WHERE document_id IN {documents} AND chunk_index < 3)"
                    " INSERT INTO document_chunks (document_id, chunk_index, content)"
                    f" SELECT id, 100 + %(rows)s, 'A part' FROM {documents} AS d ON CONFLICT DO NOTHING",
                ]
            ),
            given,
        )


@pytest.mark.rule("VRM-18", "accepts")
@pytest.mark.parametrize("seed", range(4))
def test_counters_are_true_after_random_changes_in_bulk(db: Person, world: World, seed: int) -> None:
    most = 0
    for _, (sql, given) in zip(range(120), changes(random.Random(seed), world.ann.id), strict=False):
        db.run(sql, given)
        most = max(most, *(chunks for _, chunks in counted(db).values()), 0)
    assert most > 10, "there was something to count"


@pytest.mark.rule("VRM-18", "accepts")
def test_an_account_goes_with_all_that_it_knows(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        base = collect(db, user, character_id=user.character)
        cut(db, upload(db, base))
        db.run(LINK, [user.character, base])
    db.run("DELETE FROM users WHERE id = %s", [world.ann.id])
    for table in ("knowledge_bases", "character_knowledge_bases", "documents", "document_chunks"):
        assert [row.user_id for row in db.rows(f"SELECT user_id FROM {table}")] == [world.bob.id]
    assert [*counted(db).values()] == [(1, 1)]


# Several sessions


ADD_DOCUMENTS = """
    INSERT INTO documents (knowledge_base_id, filename, file_type)
    SELECT d.knowledge_base_id, %s, 'md' FROM unnest(%s::uuid[]) WITH ORDINALITY AS o (id, place)
    JOIN documents AS d ON d.id = o.id ORDER BY o.place
"""
ADD_CHUNKS = """
    INSERT INTO document_chunks (document_id, chunk_index, content)
    SELECT o.id, %s, 'A part' FROM unnest(%s::uuid[]) WITH ORDINALITY AS o (id, place) ORDER BY o.place
"""


@pytest.mark.rule("VRM-18", "accepts")
@pytest.mark.parametrize(
    ("add", "held"),
    [(ADD_DOCUMENTS, "knowledge_bases"), (ADD_CHUNKS, "knowledge_bases"), (ADD_CHUNKS, "documents")],
    ids=["documents", "chunks", "chunks, by document"],
)
def test_two_sessions_that_change_the_same_in_bulk_do_not_deadlock(
    connect: Callable[[], Person], add: str, held: str
) -> None:
    """One goes from first to last, the other from last to first, and both are stopped halfway."""
    one, two, three = connect(), connect(), connect()
    world = build_world(one)
    bases = sorted(collect(one, world.ann) for _ in range(8))
    documents = [upload(one, base) for base in bases]
    # Of the same knowledge bases other documents; else who comes second waits for the first document already.
    others = [upload(one, base) for base in bases]
    if held == "documents":
        documents = others = sorted(documents)
    three.run("BEGIN")
    three.run(
        f"SELECT FROM {held} AS h JOIN documents AS d ON h.id IN (d.id, d.knowledge_base_id) WHERE d.id = %s"
        " FOR NO KEY UPDATE OF h",
        [documents[4]],
    )
    with ThreadPoolExecutor(2) as pool:
        done = []
        for number, (person, turned) in enumerate(((one, documents), (two, others[::-1]))):
            done.append(pool.submit(person.run, add, [f"{number}", turned]))
            while not three.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [person.conn.info.backend_pid]):
                assert not done[-1].done(), "it did not wait"
        three.run("COMMIT")
        assert [future.result(timeout=30) for future in done] == [8, 8]
    assert {*counted(one).values()} == {(4, 0) if add == ADD_DOCUMENTS else (2, 2)}


@pytest.mark.rule("VRM-18", "accepts")
def test_a_chunk_and_what_happens_to_its_document_wait_for_each_other(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    old, new = collect(one, world.ann), collect(one, world.ann)
    document = upload(one, old)
    move = "UPDATE documents SET knowledge_base_id = %s WHERE id = %s"
    add = "INSERT INTO document_chunks (document_id, chunk_index, content) VALUES (%s, %s, 'A part')"
    remove = "DELETE FROM documents WHERE id = %s"
    for first, second, wanted in (
        ((move, [new, document]), (add, [document, 0]), {old: (0, 0), new: (1, 1)}),
        ((add, [document, 1]), (move, [old, document]), {old: (1, 2), new: (0, 0)}),
        ((move, [new, document]), (move, [new, document]), {old: (0, 0), new: (1, 2)}),
        ((add, [document, 2]), (remove, [document]), {old: (0, 0), new: (0, 0)}),
    ):
        one.run("BEGIN")
        one.run(*first)
        with blocked(two, one, *second) as done:
            one.run("COMMIT")
        assert done.result() == 1
        assert counted(one) == wanted


@pytest.mark.rule("VRM-18", "accepts")
def test_sessions_that_change_different_knowledge_bases_do_not_wait(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    mine, other = collect(one, world.ann), collect(one, world.ann)
    one.run("BEGIN")
    cut(one, upload(one, mine))
    two.run("SET lock_timeout = '100ms'")
    cut(two, upload(two, other))
    with two.refused(sqlstate="55P03"):
        upload(two, mine)
    one.run("COMMIT")
    assert counted(one) == {mine: (1, 1), other: (1, 1)}


@pytest.mark.rule("VRM-17", "refuses")
@pytest.mark.rule("VRM-18", "refuses")
def test_a_document_comes_too_late_for_a_knowledge_base_that_goes(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    base = collect(one, build_world(one).ann)
    add = "INSERT INTO documents (knowledge_base_id, filename, file_type) VALUES (%s, 'a.md', 'md')"
    one.run("BEGIN")
    one.run("DELETE FROM knowledge_bases WHERE id = %s", [base])
    with two.refused("documents_knowledge_base_id_fkey", "23503"):
        with blocked(two, one, add, [base]) as late:
            one.run("COMMIT")
        late.result()
    assert one.rows("SELECT * FROM documents") == []
