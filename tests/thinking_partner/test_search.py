"""Searches by meaning: complete and in the right order for small and large users alike, and of one's own only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pytest_postgresql.executors import NoopExecutor

from tests.databases import INSTANCES, filled
from tests.people import Person, insert
from tests.thinking_partner.world import World, cut, remember, upload
from tests.vectors import Tally, clusters, vector

MEMORIES = "SELECT * FROM search_memories(%s::extensions.vector, %s"
CHUNKS = "SELECT * FROM match_chunks(%s::extensions.vector, %s"
ALL_CHUNKS = "SELECT * FROM search_chunks(%s::extensions.vector"

EACH_SEARCH = {
    "memories": (MEMORIES + ")", lambda ann, document: ann),
    "chunks of a document": (CHUNKS + ")", lambda ann, document: document),
    "chunks": (ALL_CHUNKS + ", %s)", lambda ann, document: None),
}


# Few rows: what is found, and in which order


@pytest.mark.rule("TP-03", "accepts")
def test_memories_come_by_relevance(db: Person, world: World) -> None:
    near, important = (
        remember(db, world.ann, embedding=place, importance=importance, tags=["tea"], source_type="manual")
        for place, importance in ((vector(0.96, 0.28), 0), (vector(0.8, 0.6), 1))
    )
    with db.as_user(world.ann.id):
        rows = db.rows(MEMORIES + ")", [vector(1), world.ann.id])
        first = rows[0]
        columns = ", ".join(rows[0]._fields[:8])
        stored = db.row(f"SELECT {columns} FROM memories WHERE id = %s", [important])
    assert [row.id for row in rows] == [important, near]
    assert [row.similarity for row in rows] == pytest.approx([0.8, 0.96])
    assert [row.relevance for row in rows] == pytest.approx([0.7 * 0.8 + 0.3, 0.7 * 0.96])
    assert first[:8] == stored
    assert first._fields == (
        *("id", "content", "tags", "entities", "importance", "source_type", "project_id", "created_at"),
        *("similarity", "relevance"),
    )


@pytest.mark.rule("TP-03", "accepts")
def test_of_equal_relevance_the_order_is_always_the_same(db: Person, world: World) -> None:
    ids = [remember(db, world.ann, embedding=vector(1)) for _ in range(5)]
    with db.as_user(world.ann.id):
        assert [row.id for row in db.rows(MEMORIES + ")", [vector(1), world.ann.id])] == sorted(ids)


@pytest.mark.rule("TP-03", "accepts")
def test_one_finds_what_is_everywhere_and_in_the_project_asked_for(db: Person, world: World) -> None:
    other = insert(db, "projects", name="Book", workspace_id=world.ann.workspace)
    everywhere, launch, book = (
        remember(db, world.ann, embedding=vector(1), project_id=project) for project in (None, world.ann.project, other)
    )
    with db.as_user(world.ann.id):
        for project, found in ((None, set()), (world.ann.project, {launch}), (other, {book}), (uuid4(), set())):
            rows = db.rows(MEMORIES + ", %s)", [vector(1), world.ann.id, project])
            assert {row.id for row in rows} == {everywhere, *found}


@pytest.mark.rule("TP-03", "refuses")
@pytest.mark.rule("TP-06", "refuses")
def test_nobody_finds_what_is_inactive_without_embedding_or_anothers(db: Person, world: World) -> None:
    remember(db, world.ann, embedding=vector(1), is_active=False)
    remember(db, world.ann)
    remember(db, world.bob, embedding=vector(1))
    remember(db, world.bob, embedding=vector(1), project_id=world.bob.project)
    with db.as_user(world.ann.id):
        assert db.rows(MEMORIES + ", %s, 20, -1)", [vector(1), world.ann.id, world.bob.project]) == []
    with db.as_service():
        assert db.rows(MEMORIES + ", %s, 20, -1)", [vector(1), world.ann.id, world.bob.project]) == []


@pytest.mark.rule("TP-03", "accepts")
@pytest.mark.parametrize(
    ("threshold", "found"), [(0.9, 1), (0.8, 2), (0.5, 2), (None, 2), (-0.5, 3), (-1, 4), (1.01, 0), ("NaN", 0)]
)
def test_the_threshold_is_the_least_similarity(
    db: Person, world: World, threshold: float | str | None, found: int
) -> None:
    document = upload(db, world.ann)
    for number, place in enumerate((vector(1), vector(4, 3), vector(0, 1), vector(-1))):
        remember(db, world.ann, embedding=place)
        cut(db, document, number, embedding=place)
    with db.as_user(world.ann.id):
        # In double precision 4/5 is a little less or more than 0.8.
        limit = threshold - 1e-6 if isinstance(threshold, float) else threshold
        assert len(db.rows(MEMORIES + ", NULL, 20, %s)", [vector(1), world.ann.id, limit])) == found
        assert len(db.rows(CHUNKS + ", 20, %s)", [vector(1), document, limit])) == found
        # search_chunks() has none.
        assert len(db.rows(ALL_CHUNKS + ")", [vector(1)])) == 4


@pytest.mark.rule("TP-04", "accepts")
def test_chunks_come_by_similarity(db: Person, world: World) -> None:
    document, other = upload(db, world.ann), upload(db, world.ann, filename="other.md")
    far, near = (
        cut(db, document, number, embedding=place, page_number=number + 1)
        for number, place in enumerate((vector(0.8, 0.6), vector(0.96, 0.28)))
    )
    nearest = cut(db, other, embedding=vector(1))
    with db.as_user(world.ann.id):
        rows = db.rows(CHUNKS + ")", [vector(1), document])
        assert [(row.id, row.content, row.chunk_index, row.page_number, row.metadata) for row in rows] == [
            (near, "A part", 1, 2, {}),
            (far, "A part", 0, 1, {}),
        ]
        assert [row.similarity for row in rows] == pytest.approx([0.96, 0.8])
        rows = db.rows(ALL_CHUNKS + ")", [vector(1)])
        assert [(row.id, row.document_id, row.filename, row.chunk_index, row.page_number) for row in rows] == [
            (nearest, other, "other.md", 0, None),
            (near, document, "notes.md", 1, 2),
            (far, document, "notes.md", 0, 1),
        ]
        assert [row.similarity for row in rows] == pytest.approx([1, 0.96, 0.8])


@pytest.mark.rule("TP-04", "accepts")
def test_chunks_are_searched_in_documents_of_everywhere_and_of_the_project(db: Person, world: World) -> None:
    other = insert(db, "projects", name="Book", workspace_id=world.ann.workspace)
    everywhere, launch, book = (
        cut(db, upload(db, world.ann, project_id=project), embedding=vector(1))
        for project in (None, world.ann.project, other)
    )
    with db.as_user(world.ann.id):
        for project, found in ((None, set()), (world.ann.project, {launch}), (other, {book}), (uuid4(), set())):
            rows = db.rows(ALL_CHUNKS + ", %s)", [vector(1), project])
            assert {row.id for row in rows} == {everywhere, *found}


@pytest.mark.rule("TP-04", "refuses")
def test_nobody_finds_chunks_without_embedding_or_anothers(db: Person, world: World) -> None:
    document = upload(db, world.ann)
    cut(db, document)
    for project in (None, world.bob.project):
        cut(db, upload(db, world.bob, project_id=project), embedding=vector(1))
    with db.as_user(world.ann.id):
        assert db.rows(CHUNKS + ", 20, -1)", [vector(1), document]) == []
        for project in (None, world.bob.project):
            assert db.rows(ALL_CHUNKS + ", %s)", [vector(1), project]) == []


# Whose, and with what


@pytest.mark.rule("TP-05", "accepts")
def test_services_search_for_anybody(db: Person, world: World) -> None:
    memory = remember(db, world.bob, embedding=vector(1))
    document = upload(db, world.bob)
    chunk = cut(db, document, embedding=vector(1))
    with db.as_service():
        assert [row.id for row in db.rows(MEMORIES + ")", [vector(1), world.bob.id])] == [memory]
        assert [row.id for row in db.rows(CHUNKS + ")", [vector(1), document])] == [chunk]


@pytest.mark.rule("TP-05", "refuses")
def test_users_search_for_nobody_else(db: Person, world: World) -> None:
    remember(db, world.bob, embedding=vector(1))
    bobs = upload(db, world.bob)
    cut(db, bobs, embedding=vector(1))
    messages = []
    with db.as_user(world.ann.id):
        for user in (world.bob.id, uuid4(), None):
            with db.refused("memories_search_user_check", "42501"):
                db.rows(MEMORIES + ")", [vector(1), user])
        for document in (bobs, uuid4()):
            with db.refused("chunks_document_id_fkey", "P0002") as caught:
                db.rows(CHUNKS + ")", [vector(1), document])
            messages.append(str(caught.value).replace(str(document), "…"))
        with db.refused("chunks_document_id_fkey", "P0002"):
            db.rows(CHUNKS + ")", [vector(1), None])
    assert messages[0] == messages[1]


@pytest.mark.rule("TP-05", "refuses")
def test_a_service_searches_no_documents_of_its_own(db: Person) -> None:
    with db.as_service(), db.refused("chunks_search_user_check", "42501"):
        db.rows(ALL_CHUNKS + ")", [vector(1)])


@pytest.mark.rule("TP-05", "refuses")
@pytest.mark.parametrize("search", EACH_SEARCH)
def test_visitors_search_nothing(db: Person, world: World, search: str) -> None:
    sql, whose = EACH_SEARCH[search]
    document = upload(db, world.ann)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows(sql, [vector(1), whose(world.ann.id, document)])


@pytest.mark.rule("TP-05", "refuses")
@pytest.mark.parametrize("search", EACH_SEARCH)
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
def test_a_query_without_direction_is_refused(
    db: Person, world: World, search: str, query: str | None, says: str
) -> None:
    sql, whose = EACH_SEARCH[search]
    document = upload(db, world.ann)
    with db.as_user(world.ann.id), db.refused(sqlstate="22023") as caught:
        db.rows(sql, [query, whose(world.ann.id, document)])
    assert says in caught.value.diag.message_primary
    assert "embedding model" in caught.value.diag.message_hint


@pytest.mark.rule("TP-05", "accepts")
@pytest.mark.parametrize("length", [1e-9, 1, 1e9])
def test_the_length_of_a_query_does_not_matter(db: Person, world: World, length: float) -> None:
    document = upload(db, world.ann)
    remember(db, world.ann, embedding=vector(1, 1))
    cut(db, document, embedding=vector(1, 1))
    with db.as_user(world.ann.id):
        for sql, whose in EACH_SEARCH.values():
            (row,) = db.rows(sql, [vector(length, length), whose(world.ann.id, document)])
            assert row.similarity == pytest.approx(1)


@pytest.mark.rule("TP-05", "accepts")
@pytest.mark.rule("TP-05", "refuses")
@pytest.mark.parametrize(
    ("count", "found"), [(0, 1), (-1, 1), (-(2**31), 1), (1, 1), (199, 199), (200, 200), (201, 200), (2**31 - 1, 200)]
)
def test_the_count_is_from_1_to_200(db: Person, world: World, count: int, found: int) -> None:
    document = fill(db, world)
    with db.as_user(world.ann.id):
        assert len(db.rows(MEMORIES + ", NULL, %s)", [vector(1), world.ann.id, count])) == found
        assert len(db.rows(CHUNKS + ", %s)", [vector(1), document, count])) == found
        assert len(db.rows(ALL_CHUNKS + ", NULL, %s)", [vector(1), count])) == found


@pytest.mark.rule("TP-05", "accepts")
def test_without_a_count_it_is_20_and_5_and_10(db: Person, world: World) -> None:
    document = fill(db, world)
    with db.as_user(world.ann.id):
        for given in ("", ", NULL, NULL"):
            assert len(db.rows(MEMORIES + given + ")", [vector(1), world.ann.id])) == 20
            assert len(db.rows(ALL_CHUNKS + given + ")", [vector(1)])) == 10
        for given in ("", ", NULL, NULL"):
            assert len(db.rows(CHUNKS + given + ")", [vector(1), document])) == 5


def fill(db: Person, world: World) -> UUID:
    """Give Ann 205 equal memories and a document of 205 equal chunks; return the document's id."""
    document = upload(db, world.ann)
    for table, keys in (("memories", "user_id, importance"), ("chunks", "document_id, chunk_index")):
        db.run(
            f"INSERT INTO {table} ({keys}, content, embedding)"
            f" SELECT %s, {'0.5' if table == 'memories' else 'n'}, 'Likes tea', %s FROM generate_series(1, 205) AS n",
            [world.ann.id if table == "memories" else document, vector(1)],
        )
    return document


# The indexes


@pytest.mark.rule("TP-07", "accepts")
@pytest.mark.rule("TP-07", "refuses")
def test_every_index_of_a_vector_is_hnsw_by_cosine(db: Person) -> None:
    rows = db.rows(
        """
        SELECT c.relname, m.amname, o.opcname
        FROM pg_index AS i
        JOIN pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_am AS m ON m.oid = c.relam
        JOIN pg_opclass AS o ON o.oid = i.indclass[0]
        JOIN pg_type AS t ON t.oid = o.opcintype
        WHERE c.relnamespace = to_regnamespace(%s) AND t.typname = 'vector'
        ORDER BY 1
        """,
        [f'"{db.schema}"'],
    )
    assert rows == [(f"{table}_embedding_idx", "hnsw", "vector_cosine_ops") for table in ("chunks", "memories")]


# Many rows: recall and full counts. In one table stand Ann's 60 memories, Bob's 1,000, Cleo's 20,000 and Dora's 5,000.
# Embeddings are a common part, one of 60 topics and noise. Dora's have no topic, so that all of them are about equally
# similar to anything, and Cleo's of the topic asked for come before them. Of each person a twentieth more are inactive
# or have no embedding. The index is built afterwards: filling it row by row takes many times as long.

SCHEMA = INSTANCES["thinking_partner"][0]
PEOPLE = {"ann": 60, "bob": 1_000, "cleo": 20_000, "dora": 5_000}
QUERIES = 6
THRESHOLDS = (0.2, 0.5, 0.7)
COUNTS = (5, 20, 200)

LOAD = """
CREATE TEMPORARY TABLE people (name text, id uuid, rows integer) ON COMMIT DROP;
INSERT INTO people SELECT p.name, gen_random_uuid(), p.rows FROM (VALUES {people}) AS p (name, rows);
INSERT INTO auth.users (id, email) SELECT p.id, p.name || '@example.org' FROM people AS p;
INSERT INTO workspaces (name, owner_id) SELECT p.name, p.id FROM people AS p;
INSERT INTO projects (name, workspace_id) SELECT 'Launch', w.id FROM workspaces AS w;
INSERT INTO projects (name, workspace_id) SELECT 'Book', w.id FROM workspaces AS w;

CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS
SELECT
    p.name,
    p.id AS user_id,
    n > p.rows AS hidden,
    n,
    1 + floor(60 * random())::integer AS topic,
    1 + floor(2000 * random())::integer AS a,
    1 + floor(2000 * random())::integer AS b,
    1 + floor(2000 * random())::integer AS c,
    1 + floor(2000 * random())::integer AS d,
    random() AS importance,
    random() AS scope
FROM people AS p
CROSS JOIN LATERAL generate_series(1, p.rows + p.rows / 20) AS n;

ANALYZE drawn;

-- Of ten, six are in project Launch, and four in a hundred in Book.
INSERT INTO memories (user_id, project_id, content, embedding, importance, is_active)
SELECT
    r.user_id,
    CASE WHEN r.scope < 0.64 THEN j.id END,
    format('%s remembers %s', r.name, r.n),
    CASE
        WHEN r.hidden AND r.n % 2 = 0 THEN NULL
        WHEN r.name = 'dora' THEN g.part + a.part + b.part + c.part + d.part
        ELSE g.part + t.part + a.part + b.part + c.part + d.part
    END,
    CASE WHEN r.hidden THEN 1 WHEN r.name = 'dora' THEN 0.1 * r.importance ELSE r.importance END,
    NOT r.hidden OR r.n % 2 = 0
FROM drawn AS r
JOIN projects AS j ON j.owner_id = r.user_id AND j.name = CASE WHEN r.scope < 0.6 THEN 'Launch' ELSE 'Book' END
JOIN parts AS g ON g.kind = 'common'
JOIN parts AS t ON t.kind = 'topic' AND t.n = r.topic
JOIN parts AS a ON a.kind = 'noise' AND a.n = r.a
JOIN parts AS b ON b.kind = 'noise' AND b.n = r.b
JOIN parts AS c ON c.kind = 'noise' AND c.n = r.c
JOIN parts AS d ON d.kind = 'noise' AND d.n = r.d;
"""

LOAD_CHUNKS = """
-- Two documents of each: a large one, and in project Launch one of a tenth of all chunks.
INSERT INTO documents (user_id, project_id, filename, file_type)
SELECT j.owner_id, CASE WHEN j.name = 'Launch' THEN j.id END, j.name, 'txt' FROM projects AS j;

INSERT INTO chunks (document_id, content, embedding, chunk_index)
SELECT d.id, m.content, m.embedding, m.place
FROM (
    SELECT o.*, row_number() OVER (PARTITION BY o.user_id ORDER BY o.content) AS place FROM memories AS o
) AS m
JOIN documents AS d ON d.user_id = m.user_id AND d.filename = CASE WHEN m.place % 10 = 0 THEN 'Launch' ELSE 'Book' END
WHERE m.content NOT LIKE 'dora %' AND m.place <= 8400;
"""

# Memories and chunks as a search has to find them, from a comparison with all.
EXACT_MEMORIES = """
SELECT m.id, s.similarity, 0.7 * s.similarity + 0.3 * m.importance AS relevance
FROM memories AS m
CROSS JOIN LATERAL (
    SELECT 1 - (m.embedding OPERATOR(extensions.<=>) %s::extensions.vector) AS similarity OFFSET 0
) AS s
WHERE m.user_id = %s AND m.is_active AND m.embedding IS NOT NULL AND (m.project_id IS NULL OR m.project_id = %s)
ORDER BY relevance DESC, m.id
"""
EXACT_CHUNKS = """
SELECT c.id, s.similarity
FROM documents AS d
JOIN chunks AS c ON c.document_id = d.id AND c.embedding IS NOT NULL
CROSS JOIN LATERAL (
    SELECT 1 - (c.embedding OPERATOR(extensions.<=>) %s::extensions.vector) AS similarity OFFSET 0
) AS s
WHERE d.user_id = %s AND coalesce(d.id = %s, d.project_id IS NULL OR d.project_id = %s)
ORDER BY s.similarity DESC, c.id
"""


@dataclass(frozen=True)
class Large:
    """The owner of a database with many rows, in a transaction that each test rolls back."""

    db: Person
    queries: list[str]
    users: dict[str, UUID]
    projects: dict[tuple[str, str], UUID]
    documents: dict[tuple[str, str], UUID]
    known: dict[Any, list[Any]]

    def exact(self, sql: str, *params: Any) -> list[Any]:
        """Return what a search has to find, which is asked for once in all tests."""
        if (sql, params) not in self.known:
            self.known[sql, params] = self.db.rows(sql, params)
        return self.known[sql, params]

    def reads(self, table: str) -> tuple[int, int]:
        """Return how often a table's vector index was read, and how many rows were fetched by any index."""
        return self.db.row(
            "SELECT pg_stat_get_xact_numscans(%s::regclass) AS scans,"
            " pg_stat_get_xact_tuples_fetched(%s::regclass) AS fetched",
            [f"{table}_embedding_idx", table],
        )


def load(people: dict[str, int], url: str) -> None:
    """Fill a database with everybody's rows."""
    with psycopg.connect(url) as conn:
        db = Person(conn, SCHEMA)
        with clusters(db, QUERIES):
            db.run(LOAD.format(people=", ".join(str(person) for person in people.items())))
            db.run(LOAD_CHUNKS)
        db.run("ANALYZE memories, chunks, documents")


@pytest.fixture(scope="module")
def loaded(bare: NoopExecutor, template_of: Callable[[str], str], pytestconfig: pytest.Config) -> Iterator[Large]:
    people = PEOPLE | ({"cleo": 6_000} if pytestconfig.getoption("--fewer-rows") else {})
    with (
        filled(bare, "thinking_partner", partial(load, people), template_of(SCHEMA)) as url,
        psycopg.connect(url) as conn,
    ):
        db = Person(conn, SCHEMA)
        conn.commit()
        users = {row.name: row.owner_id for row in db.rows("SELECT name, owner_id FROM workspaces")}
        names = {user: name for name, user in users.items()}
        yield Large(
            db,
            [row.query for row in db.rows("SELECT query::text FROM queries ORDER BY n")],
            users,
            {(names[row.owner_id], row.name): row.id for row in db.rows("SELECT * FROM projects")},
            {(names[row.user_id], row.filename): row.id for row in db.rows("SELECT * FROM documents")},
            {},
        )


@pytest.fixture
def large(loaded: Large) -> Iterator[Large]:
    yield loaded
    loaded.db.conn.rollback()


@pytest.mark.rule("TP-03", "accepts")
@pytest.mark.rule("TP-07", "accepts")
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", PEOPLE)
def test_memories_of_small_and_large_users_are_all_found(large: Large, name: str, count: int) -> None:
    user = large.users[name]
    tally = Tally()
    for query, threshold in product(large.queries, THRESHOLDS):
        best = [row for row in large.exact(EXACT_MEMORIES, query, user, None) if row.similarity >= threshold]
        with large.db.as_user(user):
            before = large.reads("memories")
            found = large.db.rows(MEMORIES + ", NULL, %s, %s)", [query, user, count, threshold])
            after = large.reads("memories")
        tally.add(found, best[:count])
        # Small users' memories are compared without the index; for large ones it is followed.
        assert after.scans - before.scans == (name in ("cleo", "dora"))
        if name == "cleo" and count <= 20 and threshold < 0.7:
            # Soon enough for most of the rows never to be looked at.
            assert after.fetched - before.fetched < 10_000
        elif name == "dora" and threshold == THRESHOLDS[0]:
            # Hers are too much alike: in the end all of them are compared.
            assert after.fetched - before.fetched >= 5_000
            assert [row.id for row in found] == [row.id for row in best[:count]]
    # Of the first five, and among rows that are all alike, the index may take one for another a little more often.
    tally.check(exact=name in ("ann", "bob"), recall=0.95 if name == "cleo" and count >= 20 else 0.8)


@pytest.mark.rule("TP-03", "accepts")
@pytest.mark.parametrize("project", [None, "Launch", "Book"])
@pytest.mark.parametrize("service", [False, True], ids=["user", "service"])
def test_a_large_user_finds_what_is_everywhere_and_in_one_project(
    large: Large, project: str | None, service: bool
) -> None:
    cleo = large.users["cleo"]
    scope = large.projects["cleo", project] if project else None
    tally, scopes = Tally(), set()
    for query in large.queries:
        best = [row for row in large.exact(EXACT_MEMORIES, query, cleo, scope) if row.similarity >= 0.5]
        with large.db.as_service() if service else large.db.as_user(cleo):
            before = large.reads("memories")
            found = large.db.rows(MEMORIES + ", %s)", [query, cleo, scope])
            assert large.reads("memories").scans == before.scans + 1
        tally.add(found, best[:20])
        scopes |= {row.project_id for row in found}
    tally.check(exact=False)
    assert scopes == {None, scope}


@pytest.mark.rule("TP-03", "refuses")
@pytest.mark.rule("TP-06", "refuses")
def test_a_large_user_does_not_find_what_is_forgotten(large: Large) -> None:
    cleo, query = large.users["cleo"], large.queries[0]
    with large.db.as_user(cleo):
        before = large.db.rows(MEMORIES + ")", [query, cleo])
        for row in before[:10]:
            large.db.run("SELECT forget_memory(%s)", [row.id])
        after = large.db.rows(MEMORIES + ")", [query, cleo])
    assert [row.id for row in after[:10]] == [row.id for row in before[10:]]
    assert len(after) == 20


@pytest.mark.rule("TP-05", "refuses")
def test_a_large_users_memories_are_found_by_nobody_else(large: Large) -> None:
    with large.db.as_user(large.users["dora"]), large.db.refused("memories_search_user_check", "42501"):
        large.db.rows(MEMORIES + ")", [large.queries[0], large.users["cleo"]])


@pytest.mark.rule("TP-03", "accepts")
@pytest.mark.rule("TP-04", "accepts")
@pytest.mark.parametrize("threshold", ["NaN", 1.01])
def test_a_large_user_may_find_nothing(large: Large, threshold: float | str) -> None:
    cleo, query = large.users["cleo"], large.queries[0]
    with large.db.as_user(cleo):
        assert large.db.rows(MEMORIES + ", NULL, 20, %s)", [query, cleo, threshold]) == []
        assert large.db.rows(CHUNKS + ", 20, %s)", [query, large.documents["cleo", "Book"], threshold]) == []


@pytest.mark.rule("TP-04", "accepts")
@pytest.mark.rule("TP-07", "accepts")
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    ("name", "document", "indexed"), [("ann", "Book", False), ("cleo", "Launch", False), ("cleo", "Book", True)]
)
def test_chunks_of_small_and_large_documents_are_all_found(
    large: Large, name: str, document: str, indexed: bool, count: int
) -> None:
    user, id = large.users[name], large.documents[name, document]
    tally = Tally()
    for query, threshold in product(large.queries, THRESHOLDS):
        best = [row for row in large.exact(EXACT_CHUNKS, query, user, id, None) if row.similarity >= threshold]
        with large.db.as_user(user):
            before = large.reads("chunks")
            found = large.db.rows(CHUNKS + ", %s, %s)", [query, id, count, threshold])
            assert large.reads("chunks").scans - before.scans == indexed
        tally.add(found, best[:count])
    tally.check(exact=not indexed, recall=0.95 if count == 20 else 0.8)


@pytest.mark.rule("TP-04", "accepts")
@pytest.mark.rule("TP-07", "accepts")
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("project", [None, "Launch", "Book"])
@pytest.mark.parametrize(("name", "indexed"), [("ann", False), ("bob", False), ("cleo", True)])
def test_chunks_of_users_with_few_and_many_are_all_found(
    large: Large, name: str, indexed: bool, project: str | None, count: int
) -> None:
    user, scope = large.users[name], large.projects[name, project] if project else None
    tally = Tally()
    for query in large.queries:
        best = large.exact(EXACT_CHUNKS, query, user, None, scope)
        with large.db.as_user(user):
            before = large.reads("chunks")
            found = large.db.rows(ALL_CHUNKS + ", %s, %s)", [query, scope, count])
            assert large.reads("chunks").scans - before.scans == indexed
        tally.add(found, best[:count])
    tally.check(exact=not indexed, recall=0.95 if count == 20 else 0.8)
