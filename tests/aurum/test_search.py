"""Searches by meaning: complete and in the right order for small and large users alike, and of one's own only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from pytest_postgresql.executors import NoopExecutor

from tests.aurum.world import World, add_task, reflect, say, write
from tests.databases import INSTANCES, filled
from tests.people import Person, insert
from tests.vectors import Tally, clusters, vector


@dataclass(frozen=True)
class Search:
    """A retrieval function: how its parameters and the ids that it finds are called, and what it searches."""

    function: str
    user: str
    id: str
    table: str
    embedding: str

    def ask(self, db: Person, query: str | None, **options: Any) -> list[Any]:
        """Return what the caller finds."""
        given = "".join(f", {name} => %({name})s" for name in options)
        return db.rows(
            f"SELECT {self.id} AS id, similarity FROM {self.function}(%(query)s::extensions.vector{given})",
            {"query": query, **options},
        )


SEARCHES = {
    "rag": Search("rag_search", "user_id_filter", "entity_id", "journal_entries", "content_embedding"),
    "journal": Search("find_similar_journal_entries", "user_id_filter", "id", "journal_entries", "content_embedding"),
    "tasks": Search("find_similar_tasks", "user_id_filter", "id", "tasks", "description_embedding"),
    "messages": Search("search_conversation_memory", "p_user_id", "id", "ai_conversation_memory", "message_embedding"),
}
RAG, JOURNAL, TASKS, MESSAGES = SEARCHES.values()

each_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


def embed(db: Person, search: Search, world: World, embedding: str | None = vector(1), **columns: Any) -> UUID:
    """Insert a row of Ann's that a search can find and return its id."""
    columns = {search.embedding: embedding, **columns}
    if search is TASKS:
        return add_task(db, world.ann, **{"description": "Gently", **columns})
    return (say if search is MESSAGES else write)(db, world.ann, **columns)


def ids(rows: list[Any]) -> list[UUID]:
    return [row.id for row in rows]


# Few rows: what is found, and in which order


@pytest.mark.rule("AUR-15", "accepts")
@each_search
def test_the_most_similar_comes_first(db: Person, world: World, search: Search) -> None:
    far, near, opposite = (
        embed(db, search, world, place) for place in (vector(0.8, 0.6), vector(0.96, 0.28), vector(-1))
    )
    with db.as_user(world.ann.id):
        rows = search.ask(db, vector(1))
    assert ids(rows) == [near, far, opposite]
    assert [row.similarity for row in rows] == pytest.approx([0.96, 0.8, -1])


@pytest.mark.rule("AUR-15", "accepts")
@each_search
def test_of_equal_similarity_the_order_is_always_the_same(db: Person, world: World, search: Search) -> None:
    equal = [embed(db, search, world) for _ in range(5)]
    with db.as_user(world.ann.id):
        assert ids(search.ask(db, vector(1))) == sorted(equal)
        assert ids(search.ask(db, vector(1), match_count=3)) == sorted(equal)[:3]


@pytest.mark.rule("AUR-15", "accepts")
def test_entries_are_found_with_what_they_say(db: Person, world: World) -> None:
    entry = write(db, world.ann, "Ran far", title="Sunday", mood="grateful", content_embedding=vector(1))
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM find_similar_journal_entries(%s::extensions.vector)", [vector(1)])
    assert row._asdict() == {
        "id": entry,
        "title": "Sunday",
        "content": "Ran far",
        "mood": "grateful",
        "created_at": db.value("SELECT now()"),
        "similarity": 1,
    }
    assert row._fields == ("id", "title", "content", "mood", "created_at", "similarity")


def test_only_tasks_are_open_or_not(db: Person, world: World) -> None:
    entry = write(db, world.ann, "Ran far", content_embedding=vector(1))
    near = "SELECT id FROM nearest_rows('journal_entry', %s::extensions.vector, %s, 5, p_open_only => TRUE)"
    with db.as_user(world.ann.id):
        assert ids(db.rows(near, [vector(1), world.ann.id])) == [entry]


@pytest.mark.rule("AUR-15", "accepts")
def test_tasks_are_found_with_what_they_say(db: Person, world: World) -> None:
    due = db.value("SELECT now() + interval '1 day'")
    task = embed(db, TASKS, world, name="Stretch", status="review", priority="high", due_date=due)
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM find_similar_tasks(%s::extensions.vector)", [vector(1)])
    assert row == (task, "Stretch", "Gently", "review", "high", due, world.ann.project, 1)
    assert row._fields == (
        *("id", "name", "description", "status", "priority", "due_date", "project_id", "similarity"),
    )


@pytest.mark.rule("AUR-15", "accepts")
def test_messages_are_found_with_what_they_say(db: Person, world: World) -> None:
    session, about = uuid4(), {"tasks": [str(world.ann.task)]}
    message = say(
        db,
        world.ann,
        "Why?",
        session_id=session,
        message_role="assistant",
        context_entities=Jsonb(about),
        conversation_date="2026-01-05",
        message_embedding=vector(1),
    )
    now, day = db.row("SELECT now(), date '2026-01-05'")
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM search_conversation_memory(%s::extensions.vector)", [vector(1)])
    assert row == (message, session, "assistant", "Why?", about, day, now, 1)
    assert row._fields == (
        *("id", "session_id", "message_role", "message_content", "context_entities", "conversation_date"),
        *("created_at", "similarity"),
    )


@pytest.mark.rule("AUR-15", "accepts")
def test_one_search_finds_all_that_helps_an_answer(db: Person, world: World) -> None:
    entry = write(
        db, world.ann, "Ran far", mood="grateful", energy_level="high", tags=["run"], content_embedding=vector(1)
    )
    task = add_task(db, world.ann, description="Gently", priority="low", description_embedding=vector(0.96, 0.28))
    db.run(
        "UPDATE projects SET description = 'All of it', deadline = now(), combined_embedding = %s WHERE id = %s",
        [vector(0.8, 0.6), world.ann.project],
    )
    reflection = reflect(
        db,
        world.ann,
        reflection_date="2026-01-05",
        mood="happy",
        energy_level=7,
        completion_score=8,
        reflection_embedding=vector(0.6, 0.8),
    )
    say(db, world.ann, message_embedding=vector(1))
    with db.as_user(world.ann.id):
        rows = db.rows("SELECT * FROM rag_search(%s::extensions.vector)", [vector(1)])
    assert rows[0]._fields == (
        *("entity_type", "entity_id", "title", "content", "similarity", "created_at", "metadata"),
    )
    assert [(row.entity_type, row.entity_id, row.title, row.content) for row in rows] == [
        ("journal_entry", entry, "Today", "Ran far"),
        ("task", task, "Stretch", "Gently"),
        ("project", world.ann.project, "Marathon", "All of it"),
        ("daily_reflection", reflection, "2026-01-05", "It went well"),
    ]
    assert [row.similarity for row in rows] == pytest.approx([1, 0.96, 0.8, 0.6])
    now = db.row("SELECT now() AS at, to_jsonb(now()) AS json")
    assert {row.created_at for row in rows} == {now.at}
    place = {"area_id": str(world.ann.area), "pillar_id": str(world.ann.pillar)}
    assert [row.metadata for row in rows] == [
        {"mood": "grateful", "energy_level": "high", "tags": ["run"]},
        {"status": "todo", "priority": "low", "due_date": None, "project_id": str(world.ann.project), **place},
        {"status": "not_started", "priority": "medium", "deadline": now.json, **place},
        {"reflection_date": "2026-01-05", "mood": "happy", "energy_level": 7, "completion_score": 8},
    ]


# What is left out


@pytest.mark.rule("AUR-15", "refuses")
@pytest.mark.parametrize("search", [RAG, JOURNAL, TASKS], ids=["rag", "journal", "tasks"])
def test_what_is_archived_is_not_found(db: Person, world: World, search: Search) -> None:
    found = embed(db, search, world)
    embed(db, search, world, archived=True)
    with db.as_user(world.ann.id):
        assert ids(search.ask(db, vector(1))) == [found]


@pytest.mark.rule("AUR-15", "refuses")
def test_archived_tasks_and_projects_are_no_help_either(db: Person, world: World) -> None:
    add_task(db, world.ann, description="Gently", description_embedding=vector(1), archived=True)
    db.run("UPDATE projects SET combined_embedding = %s, archived = TRUE", [vector(1)])
    with db.as_user(world.ann.id):
        assert RAG.ask(db, vector(1)) == []


@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_what_has_no_embedding_is_not_found(db: Person, world: World, search: Search) -> None:
    embed(db, search, world, None)
    with db.as_user(world.ann.id):
        assert search.ask(db, vector(1)) == []


@pytest.mark.rule("AUR-15", "refuses")
@pytest.mark.parametrize("description", ["", None])
def test_a_task_without_description_is_not_found(db: Person, world: World, description: str | None) -> None:
    embed(db, TASKS, world, description=description)
    with db.as_user(world.ann.id):
        assert TASKS.ask(db, vector(1)) == []
        assert RAG.ask(db, vector(1)) == []


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-15", "refuses")
def test_completed_tasks_are_found_if_asked_for(db: Person, world: World) -> None:
    todo, done = (embed(db, TASKS, world, completed=completed) for completed in (False, True))
    with db.as_user(world.ann.id):
        assert ids(TASKS.ask(db, vector(1))) == [todo]
        for included, found in ((False, {todo}), (None, {todo}), (True, {todo, done})):
            assert {*ids(TASKS.ask(db, vector(1), include_completed=included))} == found
        # To an answer, what is done may be as much help.
        assert {*ids(RAG.ask(db, vector(1)))} == {todo, done}


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-15", "refuses")
def test_a_search_goes_back_as_many_days_as_asked_for(db: Person, world: World) -> None:
    now = db.value("SELECT now()")
    ages = (timedelta(), timedelta(days=10), timedelta(days=10, seconds=1))
    today, then, before = (
        {
            write(db, world.ann, content_embedding=vector(1), created_at=now - age),
            embed(db, TASKS, world, created_at=now - age),
            insert(
                db,
                "projects",
                user_id=world.ann.id,
                area_id=world.ann.area,
                name="Book",
                combined_embedding=vector(1),
                created_at=now - age,
            ),
            reflect(
                db,
                world.ann,
                reflection_date=f"2026-01-0{number}",
                reflection_embedding=vector(1),
                created_at=now - age,
            ),
        }
        for number, age in enumerate(ages, 1)
    )
    with db.as_user(world.ann.id):
        for days, found in (
            (10, today | then),
            (9, today),
            (0, today),
            (-1, today),
            (11, today | then | before),
            (None, today | then | before),
            (2**31 - 1, today | then | before),
        ):
            assert {*ids(RAG.ask(db, vector(1), match_count=20, date_range_days=days))} == found, days


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-15", "refuses")
def test_messages_are_searched_since_a_date(db: Person, world: World) -> None:
    then = db.value("SELECT now() - interval '10 days'")
    today, old = embed(db, MESSAGES, world), embed(db, MESSAGES, world, created_at=then)
    with db.as_user(world.ann.id):
        for cutoff, found in ((None, {today, old}), (then, {today, old}), (db.value("SELECT now()"), {today})):
            assert {*ids(MESSAGES.ask(db, vector(1), cutoff_date=cutoff))} == found


# Whose, and with what


@pytest.mark.rule("AUR-15", "accepts")
@each_search
def test_a_service_searches_for_whom_it_names(db: Person, world: World, search: Search) -> None:
    found = embed(db, search, world)
    with db.as_service():
        assert ids(search.ask(db, vector(1), **{search.user: world.ann.id})) == [found]
        assert search.ask(db, vector(1), **{search.user: world.bob.id}) == []


@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_a_service_has_nothing_of_its_own(db: Person, search: Search) -> None:
    with db.as_service():
        for options in ({}, {search.user: None}):
            with db.refused(sqlstate="22023"):
                search.ask(db, vector(1), **options)


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_users_search_for_nobody_else(db: Person, world: World, search: Search) -> None:
    found = embed(db, search, world)
    with db.as_user(world.ann.id):
        for user in (None, world.ann.id):
            assert ids(search.ask(db, vector(1), **{search.user: user})) == [found]
    with db.as_user(world.bob.id):
        assert search.ask(db, vector(1)) == []
        for user in (world.ann.id, uuid4()):
            with db.refused(sqlstate="42501"):
                search.ask(db, vector(1), **{search.user: user})


@pytest.mark.rule("AUR-15", "refuses")
@pytest.mark.parametrize("kind", ["journal_entry", "task", "project", "daily_reflection", "conversation"])
def test_what_searches_are_made_of_gives_nobody_elses_rows(db: Person, world: World, kind: str) -> None:
    for search in (JOURNAL, TASKS, MESSAGES):
        embed(db, search, world)
    db.run("UPDATE projects SET combined_embedding = %s", [vector(1)])
    reflect(db, world.ann, reflection_embedding=vector(1))
    near = "SELECT count(*) FROM nearest_rows(%s, %s::extensions.vector, %s, 10)"
    with db.as_user(world.bob.id):
        assert db.value(near, [kind, vector(1), world.ann.id]) == 0
    with db.as_user(world.ann.id):
        assert db.value(near, [kind, vector(1), world.ann.id]) == 1


@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_visitors_search_nothing(db: Person, search: Search) -> None:
    with db.as_anon(), db.refused(sqlstate="42501"):
        search.ask(db, vector(1))


@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_without_a_user_nothing_is_searched(db: Person, search: Search) -> None:
    with db.as_user(uuid4()):
        db.run("SELECT set_config('request.jwt.claims', '{}', TRUE)")
        with db.refused(sqlstate="42501"):
            search.ask(db, vector(1))


@pytest.mark.rule("AUR-15", "refuses")
@each_search
@pytest.mark.parametrize(
    ("query", "says"),
    [
        (vector(0), "is zero"),
        (None, "needs a query embedding"),
        ("[1,2,3]", "3 dimensions, and 1536 are needed"),
        # Their squares are zero and infinite in single precision, which makes every similarity NaN.
        (vector(1e-30, 1e-30), "too small or large"),
        (vector(1e30, 1e30), "too small or large"),
    ],
)
def test_a_query_without_direction_is_refused(
    db: Person, world: World, search: Search, query: str | None, says: str
) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="22023") as caught:
        search.ask(db, query)
    assert says in caught.value.diag.message_primary
    assert "embedding model" in caught.value.diag.message_hint


@pytest.mark.rule("AUR-15", "accepts")
@each_search
@pytest.mark.parametrize("length", [1e-9, 1, 1e9])
def test_the_length_of_a_query_does_not_matter(db: Person, world: World, search: Search, length: float) -> None:
    embed(db, search, world, vector(1, 1))
    with db.as_user(world.ann.id):
        (row,) = search.ask(db, vector(length, length))
    assert row.similarity == pytest.approx(1)


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.rule("AUR-15", "refuses")
@each_search
def test_the_count_is_from_1_to_200(db: Person, world: World, search: Search) -> None:
    columns, values = {
        "journal_entries": ("title, content", "'Today', 'A good day'"),
        "tasks": ("project_id, name, description", f"'{world.ann.project}', 'Stretch', 'Gently'"),
        "ai_conversation_memory": ("message_role, message_content", "'user', 'Hello'"),
    }[search.table]
    db.run(
        f"INSERT INTO {search.table} (user_id, {search.embedding}, {columns})"
        f" SELECT %s, %s, {values} FROM generate_series(1, 205)",
        [world.ann.id, vector(1)],
    )
    usual = 10 if search in (RAG, MESSAGES) else 5
    with db.as_user(world.ann.id):
        assert len(search.ask(db, vector(1))) == usual
        for count, found in (
            *((None, usual), (0, 1), (-(2**31), 1), (1, 1)),
            *((199, 199), (200, 200), (201, 200), (2**31 - 1, 200)),
        ):
            assert len(search.ask(db, vector(1), match_count=count)) == found, count


# Many rows: recall and full counts. In each table stand Ann's 60 rows, Bob's 1,000 and Cleo's 20,000. Embeddings are a
# common part, one of 60 topics and noise. Of each person a twentieth more are archived or have no embedding, one row in
# twenty is not completed, and ages are spread over a thousand days, at half past each, so that none comes of age while
# the tests run. The indexes are built afterwards: filling them row by row takes many times as long.

SCHEMA = INSTANCES["aurum"][0]
PEOPLE = {"ann": 60, "bob": 1_000, "cleo": 6_000}
QUERIES = 8

LOAD = """
CREATE TEMPORARY TABLE people (name text, id uuid, rows integer) ON COMMIT DROP;
INSERT INTO people SELECT p.name, gen_random_uuid(), p.rows FROM (VALUES {people}) AS p (name, rows);
INSERT INTO auth.users (id, email) SELECT p.id, p.name || '@example.org' FROM people AS p;
INSERT INTO user_profiles (id, username) SELECT p.id, p.name FROM people AS p;
INSERT INTO areas (user_id, name) SELECT p.id, 'Sport' FROM people AS p;

CREATE TEMPORARY TABLE drawn ON COMMIT DROP AS
SELECT
    k.kind,
    p.id AS user_id,
    n > p.rows AND n % 2 = 0 AS unread,
    n > p.rows AND n % 2 = 1 AS archived,
    random() > 0.05 AS completed,
    now() - (floor(1000 * random()) + 0.5) * interval '1 day' AS created_at,
    n,
    1 + floor(60 * random())::integer AS topic,
    1 + floor(2000 * random())::integer AS a,
    1 + floor(2000 * random())::integer AS b,
    1 + floor(2000 * random())::integer AS c,
    1 + floor(2000 * random())::integer AS d
FROM (VALUES ('entry', 1), ('task', 1), ('message', 1), ('project', 20), ('reflection', 20)) AS k (kind, per)
CROSS JOIN people AS p
CROSS JOIN LATERAL generate_series(1, (p.rows + p.rows / 20) / k.per) AS n;
ANALYZE drawn;

CREATE TEMPORARY VIEW made AS
SELECT r.*, CASE WHEN NOT r.unread THEN g.part + t.part + a.part + b.part + c.part + d.part END AS embedding
FROM drawn AS r
JOIN parts AS g ON g.kind = 'common'
JOIN parts AS t ON t.kind = 'topic' AND t.n = r.topic
JOIN parts AS a ON a.kind = 'noise' AND a.n = r.a
JOIN parts AS b ON b.kind = 'noise' AND b.n = r.b
JOIN parts AS c ON c.kind = 'noise' AND c.n = r.c
JOIN parts AS d ON d.kind = 'noise' AND d.n = r.d;

INSERT INTO projects (user_id, area_id, name, archived, created_at, combined_embedding)
SELECT m.user_id, a.id, 'Marathon', m.archived, m.created_at, m.embedding
FROM made AS m JOIN areas AS a ON a.user_id = m.user_id WHERE m.kind = 'project';
INSERT INTO daily_reflections (user_id, reflection_date, reflection_text, created_at, reflection_embedding)
SELECT m.user_id, current_date - m.n, 'It went well', m.created_at, m.embedding
FROM made AS m WHERE m.kind = 'reflection';

-- All the triggers have to say is said here; they would take most of the time.
SET LOCAL session_replication_role = 'replica';
INSERT INTO journal_entries (user_id, title, content, archived, archived_at, created_at, content_embedding)
SELECT m.user_id, 'Today', 'A good day', m.archived, CASE WHEN m.archived THEN now() END, m.created_at, m.embedding
FROM made AS m WHERE m.kind = 'entry';
INSERT INTO tasks (
    user_id, project_id, area_id, name, description, status, completed, completed_at, archived, archived_at, created_at,
    description_embedding
)
SELECT
    m.user_id, p.id, p.area_id, 'Stretch', 'Gently', CASE WHEN m.completed THEN 'completed' ELSE 'todo' END,
    m.completed, CASE WHEN m.completed THEN now() END, m.archived, CASE WHEN m.archived THEN now() END, m.created_at,
    m.embedding
FROM made AS m
JOIN (SELECT DISTINCT ON (j.user_id) j.* FROM projects AS j) AS p ON p.user_id = m.user_id
WHERE m.kind = 'task';
INSERT INTO ai_conversation_memory (user_id, message_role, message_content, created_at, message_embedding)
SELECT m.user_id, 'user', 'Hello', m.created_at, m.embedding
FROM made AS m WHERE m.kind = 'message';
SET LOCAL session_replication_role = 'origin';
DROP VIEW made;
"""

# What a search has to find, from a comparison with all.
EXACT = """
SELECT f.id, f.similarity
FROM (
    SELECT r.id, 1 - (r.{embedding} OPERATOR(extensions.<=>) %s::extensions.vector) AS similarity
    FROM {table} AS r
    WHERE r.user_id = %s AND r.{embedding} IS NOT NULL AND {condition}
    OFFSET 0
) AS f
ORDER BY f.similarity DESC, f.id
"""
KINDS_OF_RAG = {
    "daily_reflections": ("reflection_embedding", "TRUE"),
    "journal_entries": ("content_embedding", "NOT r.archived"),
    "projects": ("combined_embedding", "NOT r.archived"),
    "tasks": ("description_embedding", "NOT r.archived"),
}


@dataclass(frozen=True)
class Large:
    """The owner of a database with many rows, in a transaction that each test rolls back."""

    db: Person
    queries: list[str]
    users: dict[str, UUID]
    known: dict[Any, list[Any]]

    def exact(self, table: str, embedding: str, condition: str, query: str, name: str) -> list[Any]:
        """Return what a search has to find, which is asked for once in all tests."""
        key = (table, condition, query, name)
        if key not in self.known:
            sql = EXACT.format(table=table, embedding=embedding, condition=condition)
            self.known[key] = self.db.rows(sql, [query, self.users[name]])
        return self.known[key]

    def scans(self) -> dict[str, int]:
        """Return how often each vector index was followed in this transaction."""
        rows = self.db.rows(
            "SELECT tablename, pg_stat_get_xact_numscans(quote_ident(indexname)::regclass) AS scans FROM pg_indexes"
            " WHERE indexdef ~ 'USING hnsw' AND schemaname = %s",
            [SCHEMA],
        )
        return {row.tablename: row.scans for row in rows}

    def compare(
        self, search: Search, name: str, count: int, condition: str, queries: list[str] | None = None, **options: Any
    ) -> None:
        """See that a search finds as many as there are, and of the best at least 95 in a hundred."""
        tally, followed = Tally(), set()
        for query in queries or self.queries:
            best = self.exact(search.table, search.embedding, condition, query, name)
            with self.db.as_user(self.users[name]):
                before = self.scans()
                found = search.ask(self.db, query, match_count=count, **options)
                after = self.scans()
            tally.add(found, best[:count])
            followed |= {table for table in after if after[table] > before[table]}
        # Few rows are compared without the index; where there are many it is followed.
        many = len(best) > 5_000
        assert followed == ({search.table} if many else set())
        tally.check(exact=not many)


def load(url: str) -> None:
    """Fill a database with everybody's rows."""
    with psycopg.connect(url) as conn:
        db = Person(conn, SCHEMA)
        with clusters(db, QUERIES):
            db.run(LOAD.format(people=", ".join(str(person) for person in PEOPLE.items())))
        db.run("ANALYZE journal_entries, tasks, projects, daily_reflections, ai_conversation_memory")


@pytest.fixture(scope="module")
def loaded(bare: NoopExecutor, template_of: Callable[[str], str]) -> Iterator[Large]:
    with filled(bare, "aurum", load, template_of(SCHEMA)) as url, psycopg.connect(url) as conn:
        db = Person(conn, SCHEMA)
        conn.commit()
        yield Large(
            db,
            [row.query for row in db.rows("SELECT query::text FROM queries ORDER BY n")],
            {row.username: row.id for row in db.rows("SELECT id, username FROM user_profiles")},
            {},
        )


@pytest.fixture
def large(loaded: Large) -> Iterator[Large]:
    yield loaded
    loaded.db.conn.rollback()


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.parametrize("count", [10, 20, 200])
@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("search", [JOURNAL, TASKS, MESSAGES], ids=["journal", "tasks", "messages"])
def test_rows_of_small_and_large_users_are_all_found(large: Large, search: Search, name: str, count: int) -> None:
    options = {"include_completed": True} if search is TASKS else {}
    large.compare(search, name, count, "TRUE" if search is MESSAGES else "NOT r.archived", **options)


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.parametrize("count", [10, 20, 200])
@pytest.mark.parametrize("name", PEOPLE)
def test_open_tasks_are_all_found_among_completed_ones(large: Large, name: str, count: int) -> None:
    large.compare(TASKS, name, count, "NOT r.archived AND NOT r.completed")


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.parametrize("days", [100, 300])
@pytest.mark.parametrize("name", PEOPLE)
def test_messages_of_the_last_days_are_all_found(large: Large, name: str, days: int) -> None:
    cutoff = large.db.value("SELECT now() - %s * interval '1 day'", [days])
    large.compare(MESSAGES, name, 20, f"r.created_at >= now() - interval '{days} days'", cutoff_date=cutoff)


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("search", [JOURNAL, TASKS, MESSAGES], ids=["journal", "tasks", "messages"])
def test_a_query_about_something_else_finds_as_many(large: Large, search: Search, name: str) -> None:
    queries = [vector(noise=1, seed=seed) for seed in range(3)]
    condition = {JOURNAL: "NOT r.archived", TASKS: "NOT r.archived AND NOT r.completed", MESSAGES: "TRUE"}[search]
    large.compare(search, name, 20, condition, queries)


@pytest.mark.rule("AUR-15", "accepts")
@pytest.mark.parametrize("days", [None, 100])
@pytest.mark.parametrize("count", [10, 20])
@pytest.mark.parametrize("name", PEOPLE)
def test_the_best_of_all_kinds_are_found(large: Large, name: str, count: int, days: int | None) -> None:
    tally, kinds = Tally(), set()
    since = f" AND r.created_at >= now() - interval '{days} days'" if days else ""
    for query in large.queries:
        best = [
            row
            for table, (embedding, condition) in KINDS_OF_RAG.items()
            for row in large.exact(table, embedding, condition + since, query, name)
        ]
        best.sort(key=lambda row: -row.similarity)
        with large.db.as_user(large.users[name]):
            before = large.scans()
            tally.add(RAG.ask(large.db, query, match_count=count, date_range_days=days), best[:count])
            after = large.scans()
        kinds |= {table for table in after if after[table] > before[table]}
    many = name == "cleo" and days is None
    assert kinds == ({"journal_entries", "tasks"} if many else set())
    tally.check(exact=not many)


@pytest.mark.rule("AUR-15", "accepts")
def test_a_large_users_rows_are_not_all_read(large: Large) -> None:
    fetched = "SELECT pg_stat_get_xact_tuples_fetched('journal_entries'::regclass)"
    with large.db.as_user(large.users["cleo"]):
        before = large.db.value(fetched)
        JOURNAL.ask(large.db, large.queries[0], match_count=10)
        assert large.db.value(fetched) - before < 10_000


@pytest.mark.rule("AUR-15", "refuses")
def test_a_large_user_does_not_find_what_was_archived_since(large: Large) -> None:
    with large.db.as_user(large.users["cleo"]):
        before = ids(JOURNAL.ask(large.db, large.queries[0], match_count=20))
        large.db.run("UPDATE journal_entries SET archived = TRUE WHERE id = ANY (%s)", [before[:10]])
        after = ids(JOURNAL.ask(large.db, large.queries[0], match_count=20))
    assert after[:10] == before[10:]
    assert len(after) == 20
