"""Searches: knowledge by meaning, complete for small and large characters alike; characters and documents by words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from tests.chatvrm.world import User, World, collect, create, cut, upload
from tests.databases import INSTANCES, filled
from tests.people import Person
from tests.vectors import Tally, clusters, vector

KNOWLEDGE = "SELECT * FROM search_character_knowledge(%s, %s::extensions.vector"
LINK = "INSERT INTO character_knowledge_bases (character_id, knowledge_base_id) VALUES (%s, %s)"
CHARACTERS = "SELECT * FROM search_characters(%s"
DOCUMENTS = "SELECT * FROM search_documents(%s"


def read(db: Person, base: UUID, *places: str | None, **columns: Any) -> UUID:
    """Insert a document with chunks at these places, completed as by a service, and return its id."""
    with db.as_service():
        document = upload(db, base, **{"status": "completed", **columns})
    for number, place in enumerate(places):
        cut(db, document, number, embedding=place, content=f"Part {number}", metadata=f'{{"page": {number}}}')
    return document


# By meaning, few rows: what is found, and in which order


@pytest.mark.rule("VRM-19", "accepts")
def test_knowledge_comes_by_similarity_from_home_and_linked_knowledge_bases(db: Person, world: World) -> None:
    home, linked = collect(db, world.ann, character_id=world.ann.character), collect(db, world.ann)
    db.run(LINK, [world.ann.character, linked])
    one = read(db, home, vector(0.8, 0.6), vector(0.96, 0.28), filename="one.md")
    two = read(db, linked, vector(1), filename="two.md")
    with db.as_user(world.ann.sub):
        rows = db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])
        for count in (1, 2):
            assert db.rows(KNOWLEDGE + ", %s)", [world.ann.character, vector(1), count]) == rows[:count]
    assert rows[0]._fields == (
        *("id", "document_id", "knowledge_base_id", "filename", "content", "chunk_index", "metadata", "similarity"),
    )
    assert [row[1:7] for row in rows] == [
        (two, linked, "two.md", "Part 0", 0, {"page": 0}),
        (one, home, "one.md", "Part 1", 1, {"page": 1}),
        (one, home, "one.md", "Part 0", 0, {"page": 0}),
    ]
    assert [row.similarity for row in rows] == pytest.approx([1, 0.96, 0.8])
    ids = "SELECT id FROM document_chunks ORDER BY embedding OPERATOR(extensions.<=>) %s::extensions.vector"
    assert [row.id for row in rows] == [row.id for row in db.rows(ids, [vector(1)])]


@pytest.mark.rule("VRM-19", "accepts")
def test_of_equal_similarity_the_order_is_always_the_same(db: Person, world: World) -> None:
    read(db, collect(db, world.ann, character_id=world.ann.character), *[vector(1)] * 5)
    with db.as_user(world.ann.sub):
        ids = [row.id for row in db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])]
    assert len(ids) == 5
    assert ids == sorted(ids)


@pytest.mark.rule("VRM-19", "accepts")
def test_what_is_both_home_and_linked_is_found_once(db: Person, world: World) -> None:
    base = collect(db, world.ann, character_id=world.ann.character)
    db.run(LINK, [world.ann.character, base])
    read(db, base, vector(1))
    with db.as_user(world.ann.sub):
        assert len(db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])) == 1


@pytest.mark.rule("VRM-19", "refuses")
def test_nothing_is_found_in_knowledge_bases_of_other_characters(db: Person, world: World) -> None:
    second = create(db, world.ann.id, slug="second")
    shared, others, nobodys = (
        collect(db, world.ann),
        collect(db, world.ann, character_id=second),
        collect(db, world.ann),
    )
    db.run(LINK, [world.ann.character, shared])
    db.run(LINK, [second, shared])
    documents = {base: read(db, base, vector(1)) for base in (shared, others, nobodys)}
    read(db, collect(db, world.bob, character_id=world.bob.character), vector(1))
    found = {
        character: {row.document_id for row in db.rows(KNOWLEDGE + ")", [character, vector(1)])}
        for character in (world.ann.character, second)
    }
    assert found == {world.ann.character: {documents[shared]}, second: {documents[shared], documents[others]}}


@pytest.mark.rule("VRM-19", "refuses")
@pytest.mark.parametrize("service", [False, True], ids=["user", "service"])
def test_only_completed_documents_and_chunks_with_embeddings_are_searched(
    db: Person, world: World, service: bool
) -> None:
    base = collect(db, world.ann, character_id=world.ann.character)
    for status in ("pending", "processing", "failed", "archived"):
        read(db, base, vector(1), status=status)
    completed = read(db, base, None, vector(0, 1))
    with db.as_service() if service else db.as_user(world.ann.sub):
        (row,) = db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])
        assert (row.document_id, row.chunk_index) == (completed, 1)
        db.run("UPDATE documents SET status = 'archived' WHERE status = 'completed'")
        assert db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)]) == []


@pytest.mark.rule("VRM-19", "accepts")
def test_a_character_may_know_nothing(db: Person, world: World) -> None:
    with db.as_user(world.ann.sub):
        assert db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)]) == []


# Whose, and with what


@pytest.mark.rule("VRM-19", "accepts")
def test_services_ask_for_visitors(db: Person, world: World) -> None:
    documents = {
        user.character: read(db, collect(db, user, character_id=user.character), vector(1))
        for user in (world.ann, world.bob)
    }
    with db.as_service():
        for character, document in documents.items():
            (row,) = db.rows(KNOWLEDGE + ")", [character, vector(1)])
            assert row.document_id == document


@pytest.mark.rule("VRM-19", "refuses")
def test_the_character_of_another_is_like_a_missing_one(db: Person, world: World) -> None:
    """Also where it is published: its knowledge is not."""
    read(db, collect(db, world.ann, character_id=world.ann.character), vector(1))
    said = []
    with db.as_user(world.bob.sub):
        for character in (world.ann.character, uuid4(), None):
            with db.refused("characters_pkey", "P0002") as caught:
                db.rows(KNOWLEDGE + ")", [character, vector(1)])
            said.append(str(caught.value).replace(str(character), "…"))
    assert said[0] == said[1]
    with db.as_service(), db.refused("characters_pkey", "P0002"):
        db.rows(KNOWLEDGE + ")", [uuid4(), vector(1)])


@pytest.mark.rule("VRM-19", "refuses")
def test_visitors_do_not_search_knowledge(db: Person, world: World) -> None:
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])


@pytest.mark.rule("VRM-19", "refuses")
@pytest.mark.parametrize(
    ("query", "says"),
    [
        (vector(0), "is zero"),
        (None, "needs a query embedding"),
        ("[1,2,3]", "3 dimensions, and 1536 are needed"),
        ("[0]", "1 dimensions, and 1536 are needed"),
        # Their squares are zero and infinite in single precision, which makes every similarity NaN.
        (vector(1e-30, 1e-30), "too small or large"),
        (vector(1e30, 1e30), "too small or large"),
    ],
)
def test_a_query_without_direction_is_refused(db: Person, world: World, query: str | None, says: str) -> None:
    with db.as_user(world.ann.sub), db.refused(sqlstate="22023") as caught:
        db.rows(KNOWLEDGE + ")", [world.ann.character, query])
    assert says in caught.value.diag.message_primary
    assert "embedding model" in caught.value.diag.message_hint


@pytest.mark.rule("VRM-19", "accepts")
@pytest.mark.parametrize("length", [1e-9, 1, 1e9])
def test_the_length_of_a_query_does_not_matter(db: Person, world: World, length: float) -> None:
    read(db, collect(db, world.ann, character_id=world.ann.character), vector(1, 1))
    with db.as_user(world.ann.sub):
        (row,) = db.rows(KNOWLEDGE + ")", [world.ann.character, vector(length, length)])
    assert row.similarity == pytest.approx(1)


@pytest.mark.rule("VRM-19", "accepts")
@pytest.mark.rule("VRM-19", "refuses")
def test_the_count_is_from_1_to_200_and_by_default_5(db: Person, world: World) -> None:
    base = collect(db, world.ann, character_id=world.ann.character)
    document = read(db, base)
    db.run(
        "INSERT INTO document_chunks (document_id, chunk_index, content, embedding)"
        " SELECT %s, n, 'A part', %s FROM generate_series(1, 205) AS n",
        [document, vector(1)],
    )
    with db.as_user(world.ann.sub):
        assert len(db.rows(KNOWLEDGE + ")", [world.ann.character, vector(1)])) == 5
        for count, found in (
            *((None, 5), (0, 1), (-1, 1), (-(2**31), 1), (1, 1), (199, 199), (200, 200), (201, 200), (2**31 - 1, 200)),
        ):
            assert len(db.rows(KNOWLEDGE + ", %s)", [world.ann.character, vector(1), count])) == found, count


@pytest.mark.rule("VRM-19", "accepts")
def test_arguments_are_named_as_the_contract_says(db: Person, world: World) -> None:
    read(db, collect(db, world.ann, character_id=world.ann.character), vector(1), vector(1))
    with db.as_user(world.ann.sub):
        rows = db.rows(
            "SELECT * FROM search_character_knowledge(match_count => 1, p_character_id => %s,"
            " query_embedding => %s::extensions.vector)",
            [world.ann.character, vector(1)],
        )
    assert len(rows) == 1


# Many rows: recall and full counts. In one table stand Ann's 60 chunks, Bob's 1,000 and Cleo's 20,000, half of them in
# the home knowledge base of their character and half in a linked one. Embeddings are a common part, one of 60 topics
# and noise. A tenth more, all of the topics asked for, are in a knowledge base that is not linked, in documents that
# are not completed or have no embedding. The index is built afterwards: filling it row by row takes many times as long.

SCHEMA = INSTANCES["chatvrm"][0]
PEOPLE = {"ann": 60, "bob": 1_000, "cleo": 6_000}
QUERIES = 10
COUNTS = (1, 5, 10, 200)

LOAD = """
INSERT INTO users (email, auth0_id, name)
SELECT p.name || '@large.example', 'auth0|' || p.name, p.name FROM (VALUES {people}) AS p (name, rows);
INSERT INTO characters (user_id, name, slug, system_prompt) SELECT u.id, u.name, u.name, 'Be kind' FROM users AS u;
INSERT INTO knowledge_bases (user_id, character_id, name)
SELECT c.user_id, CASE b.name WHEN 'home' THEN c.id END, b.name
FROM characters AS c CROSS JOIN (VALUES ('home'), ('linked'), ('apart')) AS b (name);
INSERT INTO character_knowledge_bases (character_id, knowledge_base_id)
SELECT c.id, b.id FROM characters AS c JOIN knowledge_bases AS b ON b.user_id = c.user_id AND b.name = 'linked';
-- Ten of each knowledge base, and one that will not be completed.
INSERT INTO documents (knowledge_base_id, filename, file_type)
SELECT b.id, n::text, 'md' FROM knowledge_bases AS b CROSS JOIN generate_series(0, 10) AS n;
UPDATE documents SET status = 'processing';
UPDATE documents SET status = 'completed' WHERE filename <> '10';

CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS
SELECT
    u.id AS user_id,
    n,
    n > p.rows AS apart,
    CASE WHEN n > p.rows THEN 1 + n % {queries} ELSE 1 + floor(60 * random())::integer END AS topic,
    1 + floor(2000 * random())::integer AS a,
    1 + floor(2000 * random())::integer AS b,
    1 + floor(2000 * random())::integer AS c,
    1 + floor(2000 * random())::integer AS d
FROM (VALUES {people}) AS p (name, rows)
JOIN users AS u ON u.name = p.name
CROSS JOIN LATERAL generate_series(1, p.rows + p.rows / 10) AS n;

ANALYZE drawn;

INSERT INTO document_chunks (document_id, chunk_index, content, embedding)
SELECT
    o.id,
    r.n,
    'Part ' || r.n,
    CASE WHEN NOT r.apart OR r.n % 3 <> 2 THEN g.part + t.part + a.part + b.part + c.part + d.part END
FROM drawn AS r
JOIN knowledge_bases AS kb
    ON kb.user_id = r.user_id
    AND kb.name = CASE WHEN r.apart AND r.n % 3 = 0 THEN 'apart' WHEN r.n % 2 = 0 THEN 'home' ELSE 'linked' END
JOIN documents AS o
    ON o.knowledge_base_id = kb.id
    AND o.filename = CASE WHEN r.apart AND r.n % 3 = 1 THEN '10' ELSE (r.n % 10)::text END
JOIN parts AS g ON g.kind = 'common'
JOIN parts AS t ON t.kind = 'topic' AND t.n = r.topic
JOIN parts AS a ON a.kind = 'noise' AND a.n = r.a
JOIN parts AS b ON b.kind = 'noise' AND b.n = r.b
JOIN parts AS c ON c.kind = 'noise' AND c.n = r.c
JOIN parts AS d ON d.kind = 'noise' AND d.n = r.d;
"""

# Chunks as a search has to find them, from a comparison with all.
EXACT = """
SELECT c.id, s.similarity
FROM users AS u
JOIN knowledge_bases AS kb ON kb.user_id = u.id AND kb.name IN ('home', 'linked')
JOIN documents AS d ON d.knowledge_base_id = kb.id AND d.status = 'completed'
JOIN document_chunks AS c ON c.document_id = d.id AND c.embedding IS NOT NULL
CROSS JOIN LATERAL (
    SELECT 1 - (c.embedding OPERATOR(extensions.<=>) %s::extensions.vector) AS similarity OFFSET 0
) AS s
WHERE u.name = %s
ORDER BY s.similarity DESC, c.id
"""


@dataclass(frozen=True)
class Large:
    """The owner of a database with many rows, in a transaction that each test rolls back."""

    db: Person
    queries: list[str]
    users: dict[str, User]
    known: dict[Any, list[Any]]

    def exact(self, query: str, name: str) -> list[Any]:
        """Return what a search has to find, which is asked for once in all tests."""
        if (query, name) not in self.known:
            self.known[query, name] = self.db.rows(EXACT, [query, name])
        return self.known[query, name]

    def scans(self) -> int:
        """Return how often the vector index was read in this transaction."""
        return self.db.value("SELECT pg_stat_get_xact_numscans('document_chunks_embedding_idx'::regclass)")


def load(url: str) -> None:
    """Fill a database with everybody's rows."""
    with psycopg.connect(url) as conn:
        db = Person(conn, SCHEMA)
        with clusters(db, QUERIES):
            people = ", ".join(str(person) for person in PEOPLE.items())
            db.run(LOAD.format(people=people, queries=QUERIES))
        db.run("ANALYZE document_chunks, documents, knowledge_bases, character_knowledge_bases")


@pytest.fixture(scope="module")
def loaded(bare: NoopExecutor, template_of: Callable[[str], str]) -> Iterator[Large]:
    with filled(bare, "chatvrm", load, template_of(SCHEMA)) as url, psycopg.connect(url) as conn:
        db = Person(conn, SCHEMA)
        conn.commit()
        yield Large(
            db,
            [row.query for row in db.rows("SELECT query::text FROM queries ORDER BY n")],
            {
                row.name: User(row.user_id, f"auth0|{row.name}", row.id)
                for row in db.rows("SELECT name, user_id, id FROM characters")
            },
            {},
        )


@pytest.fixture
def large(loaded: Large) -> Iterator[Large]:
    yield loaded
    loaded.db.conn.rollback()


@pytest.mark.rule("VRM-19", "accepts")
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("service", [False, True], ids=["user", "service"])
@pytest.mark.parametrize("name", PEOPLE)
def test_knowledge_of_small_and_large_characters_is_all_found(
    large: Large, name: str, service: bool, count: int
) -> None:
    user = large.users[name]
    tally = Tally()
    for query in large.queries:
        best = large.exact(query, name)
        assert len(best) == PEOPLE[name]
        with large.db.as_service() if service else large.db.as_user(user.sub):
            before = large.scans()
            found = large.db.rows(KNOWLEDGE + ", %s)", [user.character, query, count])
            # Small characters' chunks are compared without the index; for large ones it is followed.
            assert large.scans() - before == (name == "cleo")
        tally.add(found, best[:count])
    # Of the very first ones the index may take one for another a little more often.
    tally.check(exact=name != "cleo", recall=0.95 if count >= 10 else 0.8)


@pytest.mark.rule("VRM-19", "accepts")
def test_where_the_index_comes_up_short_all_are_compared(large: Large) -> None:
    """Here a hundred chunks, all of which are further away than everything else, of a document that says it is long."""
    db, query = large.db, large.queries[0]
    cleo = large.users["cleo"]
    character = create(db, cleo.id, slug="short")
    document = read(db, collect(db, cleo, character_id=character), *(vector(-1, n / 50) for n in range(100)))
    db.run("UPDATE documents SET chunk_count = 5000 WHERE id = %s", [document])
    db.run("SET LOCAL hnsw.max_scan_tuples = 1")
    with db.as_user(cleo.sub):
        before = large.scans()
        found = db.rows(KNOWLEDGE + ", 200)", [character, query])
        assert large.scans() == before + 1
    tally = Tally()
    tally.add(found, found)
    assert {row.chunk_index for row in found} == {*range(100)}


@pytest.mark.rule("VRM-19", "refuses")
def test_a_large_characters_knowledge_is_found_by_nobody_else(large: Large) -> None:
    query, character = large.queries[0], large.users["cleo"].character
    with large.db.as_user("auth0|bob"), large.db.refused("characters_pkey", "P0002"):
        large.db.rows(KNOWLEDGE + ")", [character, query])


@pytest.mark.rule("VRM-19", "refuses")
def test_what_is_unlinked_from_a_large_character_is_no_longer_found(large: Large) -> None:
    cleo, query = large.users["cleo"], large.queries[0]
    with large.db.as_user(cleo.sub):
        large.db.run("DELETE FROM character_knowledge_bases")
        rows = large.db.rows(KNOWLEDGE + ", 200)", [cleo.character, query])
        names = {
            row.name
            for row in large.db.rows(
                "SELECT name FROM knowledge_bases WHERE id = ANY (%s)", [[row.knowledge_base_id for row in rows]]
            )
        }
    assert (len(rows), names) == (200, {"home"})


# By words


@pytest.mark.rule("VRM-20", "accepts")
def test_characters_are_found_by_their_names_best_first(db: Person, world: World) -> None:
    def publish(name: str, slug: str) -> UUID:
        return create(db, world.bob.id, name=name, slug=slug, status="draft")

    once = publish("Stars over the sea and the wide, wide land", "sea")
    often = publish("Star of stars", "star")
    publish("Moon", "moon")
    db.run("UPDATE characters SET status = 'published', description = 'About stars' WHERE user_id = %s", [world.bob.id])
    with db.as_anon():
        rows = db.rows(CHARACTERS + ")", ["star"])
    assert [row.id for row in rows] == [often, once]
    assert rows[0].relevance > rows[1].relevance > 0
    assert rows[0][1:5] == ("Star of stars", "star", "About stars", "published")
    assert rows[0].published_at is not None
    assert rows[0]._fields == (
        *("id", "name", "slug", "description", "status", "published_at", "average_rating", "relevance"),
    )


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("blue star", {"Blue Star"}),
        ('"star blue"', {"Red Star Blue"}),
        ("blue or red", {"Blue Star", "Red Star", "Red Star Blue"}),
        ("star -blue", {"Red Star"}),
        ("STARS", {"Blue Star", "Red Star", "Red Star Blue"}),
        ("sta", set()),
        ("green", set()),
        ("the", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_one_searches_as_people_type(db: Person, world: World, query: str | None, found: set[str]) -> None:
    for name in ("Blue Star", "Red Star", "Red Star Blue"):
        create(db, world.ann.id, name=name, slug=name.lower().replace(" ", "-"), status="published")
    with db.as_user(world.bob.sub):
        # Of "red star blue" both orders stand in the name, though not next to each other.
        wanted = found if query != "blue star" else found | {"Red Star Blue"}
        assert {row.name for row in db.rows(CHARACTERS + ")", [query])} == wanted


@pytest.mark.rule("VRM-20", "refuses")
def test_drafts_and_archived_characters_are_found_by_their_owner_only(db: Person, world: World) -> None:
    names = {}
    for status in ("draft", "published", "archived"):
        with db.as_service():
            names[status] = create(db, world.ann.id, name="Comet", slug=status, status=status)
    found = {}
    for person, act in (("ann", db.as_user(world.ann.sub)), ("bob", db.as_user(world.bob.sub)), ("anon", db.as_anon())):
        with act:
            found[person] = {row.id for row in db.rows(CHARACTERS + ")", ["comet"])}
    with db.as_service():
        found["service"] = {row.id for row in db.rows(CHARACTERS + ")", ["comet"])}
    published = {names["published"]}
    assert found == {"ann": {*names.values()}, "bob": published, "anon": published, "service": published}


@pytest.mark.rule("VRM-20", "refuses")
def test_whoever_has_no_account_here_is_like_a_visitor(db: Person, world: World) -> None:
    create(db, world.ann.id, name="Comet", slug="comet")
    upload(db, collect(db, world.ann), content="comet")
    with db.as_user("auth0|nobody"):
        assert db.rows(CHARACTERS + ")", ["comet"]) == []
        assert db.rows(DOCUMENTS + ")", ["comet"]) == []


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.rule("VRM-20", "refuses")
def test_documents_are_found_by_their_contents_latest_first(db: Person, world: World) -> None:
    base = collect(db, world.ann)
    with db.as_service():
        old, new, archived = (
            upload(db, base, content="All about comets.", uploaded_at=f"2024-01-0{day}", status=status)
            for day, status in ((1, "failed"), (2, "completed"), (3, "archived"))
        )
    upload(db, base, content="All about stars.")
    upload(db, base, filename="comet.md")
    bobs = upload(db, collect(db, world.bob), content="Comets, too.")
    with db.as_user(world.ann.sub):
        rows = db.rows(DOCUMENTS + ")", ["comet"])
        assert [row.id for row in rows] == [new, old]
        assert rows[0][1:5] == (base, "facts.md", "md", "completed")
        assert rows[0]._fields == ("id", "knowledge_base_id", "filename", "file_type", "status", "uploaded_at")
        db.run("UPDATE documents SET status = 'pending' WHERE id = %s", [archived])
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["comet"])] == [archived, new, old]
        db.run("UPDATE documents SET content = 'About the sun.' WHERE id = %s", [new])
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["comet"])] == [archived, old]
    with db.as_user(world.bob.sub):
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["comet"])] == [bobs]
    with db.as_service():
        assert db.rows(DOCUMENTS + ")", ["comet"]) == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows(DOCUMENTS + ")", ["comet"])


LIMITS = ((None, 20), (0, 1), (-1, 1), (1, 1), (99, 99), (100, 100), (101, 100), (2**31 - 1, 100))


@pytest.mark.rule("VRM-20", "accepts")
def test_searches_by_words_return_from_1_to_100(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO characters (user_id, name, slug, system_prompt)"
        " SELECT %s, 'Comet', 'comet-' || n, 'Be kind' FROM generate_series(1, 105) AS n",
        [world.ann.id],
    )
    db.run(
        "INSERT INTO documents (knowledge_base_id, filename, file_type, content)"
        " SELECT %s, n::text, 'md', 'Comet' FROM generate_series(1, 105) AS n",
        [collect(db, world.ann)],
    )
    with db.as_user(world.ann.sub):
        for sql in (CHARACTERS, DOCUMENTS):
            assert len(db.rows(sql + ")", ["comet"])) == 20
            for limit, found in LIMITS:
                assert len(db.rows(sql + ", %s)", ["comet", limit])) == found, limit


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.parametrize(
    ("sql", "index"), [(CHARACTERS, "idx_characters_name_gin"), (DOCUMENTS, "idx_documents_content_gin")]
)
@pytest.mark.parametrize("person", ["user", "anon"])
def test_searches_by_words_use_the_indexes(db: Person, world: World, sql: str, index: str, person: str) -> None:
    if (sql, person) == (DOCUMENTS, "anon"):
        person = "service"
    db.run(
        "INSERT INTO characters (user_id, name, slug, system_prompt)"
        " SELECT %s, 'Comet ' || n, 'comet-' || n, 'Be kind' FROM generate_series(1, 3000) AS n",
        [world.ann.id],
    )
    db.run(
        "INSERT INTO documents (knowledge_base_id, filename, file_type, content)"
        " SELECT %s, n::text, 'md', 'Comet ' || n FROM generate_series(1, 3000) AS n",
        [collect(db, world.ann)],
    )
    db.run("ANALYZE characters, documents")
    scans = f"SELECT pg_stat_get_xact_numscans('{index}'::regclass)"
    with {"user": db.as_user(world.ann.sub), "anon": db.as_anon(), "service": db.as_service()}[person]:
        before = db.value(scans)
        rows = db.rows(sql + ")", ["comet 77"])
        assert db.value(scans) == before + 1
    assert len(rows) == (person == "user")


# Long and strange documents, and strange queries

INDEXED = 100_000
FILLING = "lorem ipsum dolor "


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.rule("VRM-20", "refuses")
def test_of_five_megabytes_the_first_100_000_characters_are_found(db: Person, world: World) -> None:
    head = (FILLING * 10_000)[: INDEXED - 12] + " inside now "
    content = head + "beyond " + FILLING * 291_000
    assert len(head) == INDEXED and len(content) > 5 * 2**20
    with db.as_user(world.ann.sub):
        document = upload(db, collect(db, world.ann), content=content)
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["inside"])] == [document]
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["ipsum"])] == [document]
        assert db.rows(DOCUMENTS + ")", ["beyond"]) == []
        assert db.value("SELECT content FROM documents WHERE id = %s", [document]) == content
        db.run("UPDATE documents SET content = 'beyond ' || content WHERE id = %s", [document])
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["beyond"])] == [document]


STRANGE = {
    "100,000 distinct words": " ".join(f"w{n:x}" for n in range(100_000)),
    "5 MB of distinct words": " ".join(f"word{n:07d}" for n in range(450_000)),
    "two letters each": " ".join(chr(0x400 + n // 200 % 200) + chr(0x400 + n % 200) for n in range(40_000)),
    "no spaces": "x" * 3_000_000,
    "letters of four bytes": "".join(chr(0x20000 + n % 40_000) for n in range(200_000)),
    "Chinese": "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(1_000_000)),
    "words of three Chinese letters": " ".join(
        "".join(chr(0x4E00 + n * k % 20_000) for k in (7919, 104_729, 1_299_709)) for n in range(50_000)
    ),
    "emoji": "😀👍🏽👨‍👩‍👧‍👦 " * 20_000,
    "a chain of hyphens": "-".join(f"a{n:x}" for n in range(100_000)),
    "chains of hyphens": " ".join("-".join(f"a{n + k:x}" for k in range(20)) for n in range(0, 100_000, 20)),
    "URLs": " ".join(f"https://example{n}.org/path/{n}/file{n}.html?a={n}&b=c#d" for n in range(20_000)),
    "one long URL": "https://example.org/" + "/".join(f"p{n}" for n in range(100_000)),
    "e-mail addresses": " ".join(f"name.{n}@mail{n}.example.org" for n in range(20_000)),
    "numbers": " ".join(f"{n}.{n}e-{n % 300}" for n in range(50_000)),
    "paths": "/".join(f"d{n}" for n in range(100_000)),
    "tags": "<a href='x'>" * 50_000,
    "half a tag": "<" * 1_000_000,
    "entities": "&amp;&#x41;" * 50_000,
    "words of 2,000 letters": " ".join(f"{n}" + "y" * 2_040 for n in range(200)),
    "control characters": "".join(chr(n % 31 + 1) for n in range(500_000)),
    "one letter": "a",
    "nothing": "",
}


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.parametrize("kind", STRANGE)
def test_any_text_can_be_stored(db: Person, world: World, kind: str) -> None:
    with db.as_user(world.ann.sub):
        document = upload(db, collect(db, world.ann), content="needle " + STRANGE[kind])
        stored = "SELECT md5(content) = md5('needle ' || %s) FROM documents WHERE id = %s"
        assert db.value(stored, [STRANGE[kind], document]) is True
        # Without a letter of STRANGE in it, the word is found.
        assert [row.id for row in db.rows(DOCUMENTS + ")", ["needle"])] == [document]
        db.run("UPDATE documents SET content = %s WHERE id = %s", [STRANGE[kind], document])
        assert db.rows(DOCUMENTS + ")", ["needle"]) == []


QUERIES_OF_ALL_KINDS = {
    "quotes": '"' * 999,
    "a quote that is not closed": '"comet',
    "single quotes": "'" * 1_000,
    "dashes": "-" * 1_000,
    "dashes apart": "- " * 500,
    "dashes and quotes": '-"' * 500,
    "quoted dashes": '"- -" - ' * 120,
    "dashes before quotes": '- "a" ' * 160,
    "dashes in words": "-a" * 500,
    "many ors": "or " * 400,
    "words and ors": "a1 or " * 200,
    "phrases": '"a1 b1" ' * 140,
    "operators": "& | ! <-> <2> ( ) : * :* \\ ",
    "brackets": "(" * 1_000,
    "backslashes": "\\" * 1_000,
    "colons": "comet:* & star:ABCD",
    "control characters": "".join(map(chr, range(1, 32))) * 30,
    "line ends": "\r\n" * 500,
    "a megabyte": "a" * 2**20,
    "a megabyte of words": "comet " * 180_000,
    "a megabyte of dashes": "-" * 2**20,
    "Chinese": "星" * 1_000,
    "emoji": "😀" * 1_000,
    "combining marks": "e\u0301" * 500,
    "right to left": "\u202e" + "comet" * 10,
    "zero width": "\u200b\ufeff" * 400,
    "percent and underscore": "%_" * 500,
    "SQL": "'; DROP TABLE characters; --",
    "URLs": "https://example.org/a/b?c=d " * 30,
    "a word of 1,000 letters": "y" * 1_000,
    "other dashes": "\u2010\u2013\u2014\u2212" * 250,
    "dashes between control characters": "-\x01" * 500,
    "dashes between tabs": "-\t" * 500,
    "dashes and underscores": "-_" * 500,
    "dashes and dots": "-." * 500,
    "dashes and combining marks": "-\u0301" * 500,
    "dashes and emoji": "-😀" * 500,
}


@pytest.mark.rule("VRM-20", "accepts")
@pytest.mark.parametrize("kind", QUERIES_OF_ALL_KINDS)
def test_no_query_fails(db: Person, world: World, kind: str) -> None:
    """And each finds no more than what is there to be found."""
    query = QUERIES_OF_ALL_KINDS[kind]
    character = create(db, world.ann.id, name="Comet", slug="comet")
    document = upload(db, collect(db, world.ann), content="All about a comet")
    with db.as_user(world.ann.sub):
        assert {row.id for row in db.rows(CHARACTERS + ")", [query])} <= {character, world.ann.character}
        assert {row.id for row in db.rows(DOCUMENTS + ")", [query])} <= {document}
    with db.as_anon():
        assert {row.id for row in db.rows(CHARACTERS + ")", [query])} <= {world.ann.character}


@pytest.mark.rule("VRM-20", "accepts")
def test_dashes_around_words_are_no_obstacle(db: Person, world: World) -> None:
    character = create(db, world.ann.id, name="Halley's well-known Comet", slug="halley")
    with db.as_user(world.ann.sub):
        for query in ("--- comet", "comet -- halley", "well-known comet", "halley's -moon comet", "comet ---"):
            assert [row.id for row in db.rows(CHARACTERS + ")", [query])] == [character], query
        for query in ("halley -comet", 'comet -"well-known"'):
            assert db.rows(CHARACTERS + ")", [query]) == [], query
