"""Aurum: the document's success criteria on a million tasks, searches by meaning, and what keeping it true costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from bench.measure import Row, at, pairs, ratio_row, time_row
from bench.place import Place, Session
from bench.vectors import POOL_SQL, QUERIES_SQL, Searches, found_row
from runner.history.instances import Target
from runner.migrate.apply import apply

TITLE = "Aurum"
NOTES = """\
- Data: users with 3 pillars, 5 areas, 10 projects and 100 tasks each, a third of them completed. Three more have few,
  some and many journal entries, tasks and messages with embeddings, and fewer projects and reflections. Embeddings are
  as in the section on Thinking Partner; the vector indexes are built after loading.
- All is asked by role `authenticated` with a token, under RLS, but for what a service does. Aims in seconds are the
  document's success criteria.
- Hierarchy: `my_hierarchy` of a user with 100 tasks against the document's join of four tables for that user, sent by
  the owner.
- Searches against `ORDER BY embedding <=> … LIMIT n` over the user's rows, sent by the same user: the query that the
  document's indexes are made for. Rows and recall are means over all queries, and met only when no query comes up
  short.
- Statistics: `refresh_user_statistics()` of one user and day against the same statement for 1,000 users at once.
- Insert and completion of a task by a user, with all triggers, against the same on a bare copy by the owner: same
  columns, indexes and rows, no triggers, foreign keys, checks and policies."""

PEOPLE = tuple(UUID(f"00000000-0000-4000-8000-00000000a4{n}e") for n in range(3))
PATH = "aurum, platform, extensions, pg_temp"


@dataclass(frozen=True)
class Sizes:
    """How much data there is and how often each thing is measured."""

    users: int
    wide: tuple[int, int, int]
    narrow: tuple[int, int, int]
    queries: int
    rounds: int
    calls: int
    slow_calls: int


FULL = Sizes(
    users=10_000, wide=(60, 1_000, 14_000), narrow=(60, 1_000, 1_350), queries=40, rounds=5, calls=100, slow_calls=10
)
QUICK = Sizes(users=200, wide=(60, 200, 1_000), narrow=(20, 60, 200), queries=10, rounds=3, calls=10, slow_calls=2)

# Loaded as a dump is, without triggers; ids are hashes of numbers: of user 1 are tasks 1 to 100, and so on.
FILL_SQL = """
SET session_replication_role = replica;
INSERT INTO auth.users (id, email)
SELECT md5('user' || u)::uuid, 'user' || u || '@bench.example' FROM generate_series(1, %(users)s) AS u;
INSERT INTO auth.users (id, email) SELECT p.id, p.id || '@bench.example' FROM unnest(%(people)s) AS p (id);
INSERT INTO user_profiles (id) SELECT id FROM auth.users;
INSERT INTO pillars (id, user_id, name)
SELECT md5('pillar' || n)::uuid, md5('user' || (n + 2) / 3)::uuid, 'Health' FROM generate_series(1, %(users)s * 3) AS n;
INSERT INTO areas (id, user_id, pillar_id, name)
SELECT
    md5('area' || n)::uuid, md5('user' || (n + 4) / 5)::uuid,
    CASE WHEN n %% 5 > 0 THEN md5('pillar' || (n + 4) / 5 * 3 - n %% 3)::uuid END, 'Running'
FROM generate_series(1, %(users)s * 5) AS n;
INSERT INTO projects (id, user_id, area_id, pillar_id, name, status)
SELECT
    md5('project' || n)::uuid, a.user_id, a.id, a.pillar_id, 'A marathon',
    (ARRAY['not_started', 'in_progress', 'completed', 'on_hold'])[1 + n %% 4]
FROM generate_series(1, %(users)s * 10) AS n
INNER JOIN areas AS a ON a.id = md5('area' || (n + 9) / 10 * 5 - n %% 5)::uuid;
INSERT INTO areas (id, user_id, name) SELECT p.id, p.id, 'Everything' FROM unnest(%(people)s) AS p (id);
INSERT INTO projects (id, user_id, area_id, name)
SELECT p.id, p.id, p.id, 'Everything' FROM unnest(%(people)s) AS p (id);
INSERT INTO tasks (
    id, user_id, project_id, area_id, pillar_id, name, description, status, completed, completed_at, due_date,
    created_at
)
SELECT
    md5('task' || n)::uuid, p.user_id, p.id, p.area_id, p.pillar_id, 'Run ten kilometres',
    'What is to be done is said in about a sentence.',
    CASE WHEN n %% 3 = 0 THEN 'completed' ELSE 'todo' END, n %% 3 = 0,
    CASE WHEN n %% 3 = 0 THEN now() - interval '1 hour' * (n %% 700) END, now() + interval '1 hour' * (n %% 900 - 600),
    now() - interval '1 hour' * (700 + n %% 100)
FROM generate_series(1, %(users)s * 100) AS n
INNER JOIN projects AS p ON p.id = md5('project' || (n + 9) / 10)::uuid;
INSERT INTO time_entries (user_id, entity_type, entity_id, start_time, end_time, is_active, activity_type)
SELECT
    t.user_id, 'task', t.id, now() - interval '1 hour' * (n %% 48),
    now() - interval '1 hour' * (n %% 48) + interval '20 minutes',
    FALSE, 'focused'
FROM generate_series(1, %(users)s * 100, 50) AS n
INNER JOIN tasks AS t ON t.id = md5('task' || n)::uuid;
"""
WITH_EMBEDDINGS_SQL = """
CREATE TEMPORARY TABLE embedded AS
SELECT p.id AS user_id, place AS n, l2_normalize(common.v + centre.v + noise.v * sign.v) AS embedding
FROM unnest(%(people)s, %(wide)s, %(firsts)s) AS p (id, rows, first)
CROSS JOIN LATERAL generate_series(p.first, p.first + p.rows - 1) AS place
INNER JOIN pool AS common ON common.kind = 'common'
INNER JOIN pool AS centre ON centre.kind = 'centre' AND centre.n = place * 7919 %% 60
INNER JOIN pool AS noise ON noise.kind = 'noise' AND noise.n = place / 150
INNER JOIN pool AS sign ON sign.kind = 'sign' AND sign.n = place %% 150;
CREATE TEMPORARY TABLE fewer AS
SELECT e.*
FROM unnest(%(people)s, %(narrow)s, %(firsts)s) AS p (id, rows, first)
INNER JOIN embedded AS e ON e.user_id = p.id AND e.n < p.first + p.rows;
INSERT INTO journal_entries (user_id, title, content, content_embedding, title_embedding)
SELECT user_id, 'Today', repeat('What I did today. ', 20), embedding, embedding FROM embedded;
INSERT INTO tasks (user_id, project_id, area_id, name, description, description_embedding, name_embedding)
SELECT user_id, user_id, user_id, 'A task', 'What is to be done is said in about a sentence.', embedding, embedding
FROM embedded;
INSERT INTO ai_conversation_memory (user_id, message_role, message_content, message_embedding)
SELECT user_id, 'user', 'What is said here is about as long as a sentence usually is.', embedding FROM embedded;
INSERT INTO projects (user_id, area_id, name, description, combined_embedding)
SELECT user_id, user_id, 'A project', 'What it is for', embedding FROM fewer;
INSERT INTO daily_reflections (user_id, reflection_date, reflection_text, reflection_embedding)
SELECT user_id, current_date - n::integer, 'It went as it went.', embedding FROM fewer;
SET session_replication_role = origin
"""
_HIERARCHY = """
SELECT
    t.id AS task_id, t.name AS task_name, t.user_id, p.id AS project_id, p.name AS project_name, a.id AS area_id,
    a.name AS area_name, pi.id AS pillar_id, pi.name AS pillar_name, t.status AS task_status,
    t.priority AS task_priority, t.due_date, t.hrm_priority_score, t.hrm_alignment_score
FROM tasks AS t JOIN projects AS p ON t.project_id = p.id JOIN areas AS a ON p.area_id = a.id
LEFT JOIN pillars AS pi ON a.pillar_id = pi.id
WHERE t.user_id = $1
"""
# Searches: what is found, how many, and the user's own query for the same. $1 is the query.
SEARCHES = {
    "find_similar_journal_entries": (
        "SELECT id, similarity FROM find_similar_journal_entries($1, {n})",
        "SELECT id, title, content, mood, created_at, 1 - (content_embedding <=> $1) FROM journal_entries"
        " WHERE user_id = $2 ORDER BY content_embedding <=> $1 LIMIT {n}",
        "SELECT id FROM journal_entries WHERE user_id = $2 ORDER BY (content_embedding <=> $1::vector) + 0 LIMIT {n}",
    ),
    "find_similar_tasks": (
        "SELECT id, similarity FROM find_similar_tasks($1, {n})",
        "SELECT id, name, description, status, priority, due_date, project_id, 1 - (description_embedding <=> $1)"
        " FROM tasks WHERE user_id = $2 AND NOT completed AND description IS NOT NULL AND description <> ''"
        " ORDER BY description_embedding <=> $1 LIMIT {n}",
        "SELECT id FROM tasks WHERE user_id = $2 ORDER BY (description_embedding <=> $1::vector) + 0 LIMIT {n}",
    ),
    "search_conversation_memory": (
        "SELECT id, similarity FROM search_conversation_memory($1, NULL, {n})",
        "SELECT id, session_id, message_role, message_content, context_entities, conversation_date, created_at,"
        " 1 - (message_embedding <=> $1) FROM ai_conversation_memory"
        " WHERE user_id = $2 ORDER BY message_embedding <=> $1 LIMIT {n}",
        "SELECT id FROM ai_conversation_memory WHERE user_id = $2"
        " ORDER BY (message_embedding <=> $1::vector) + 0 LIMIT {n}",
    ),
    "rag_search": (
        "SELECT entity_id, similarity FROM rag_search($1, NULL, {n})",
        "SELECT * FROM (SELECT 'journal_entry', id, title, content, 1 - (content_embedding <=> $1) AS similarity"
        " FROM journal_entries WHERE user_id = $2 UNION ALL"
        " SELECT 'task', id, name, description, 1 - (description_embedding <=> $1) FROM tasks WHERE user_id = $2"
        " UNION ALL SELECT 'project', id, name, description, 1 - (combined_embedding <=> $1) FROM projects"
        " WHERE user_id = $2 UNION ALL SELECT 'reflection', id, reflection_date::text, reflection_text,"
        " 1 - (reflection_embedding <=> $1) FROM daily_reflections WHERE user_id = $2) AS everything"
        " WHERE similarity IS NOT NULL ORDER BY similarity DESC LIMIT {n}",
        # Of several that are equally near the search takes the first by kind and id, too.
        "SELECT id FROM (SELECT 'journal_entry' AS kind, id, content_embedding AS embedding FROM journal_entries"
        " WHERE user_id = $2 UNION ALL SELECT 'task', id, description_embedding FROM tasks WHERE user_id = $2"
        " UNION ALL SELECT 'project', id, combined_embedding FROM projects WHERE user_id = $2"
        " UNION ALL SELECT 'daily_reflection', id, reflection_embedding FROM daily_reflections WHERE user_id = $2"
        ") AS everything"
        " WHERE embedding IS NOT NULL ORDER BY (embedding <=> $1::vector) + 0, kind, id LIMIT {n}",
    ),
}
COUNT = 10


def measure(place: Place, quick: bool) -> Iterator[Row]:
    """Yield the rows."""
    sizes = QUICK if quick else FULL
    with ExitStack() as stack:
        url = stack.enter_context(place.database("aurum"))
        apply(Target(url, ["aurum"]))
        with psycopg.connect(url, autocommit=True) as conn:
            searches = _load(conn, sizes)
        owner, user, service = (stack.enter_context(closing(Session(url, "aurum"))) for _ in range(3))
        for session in (owner, user, service):
            session.conn.execute(f"SET search_path = {PATH}".encode())
        service.act_as_service()
        yield from _hierarchy(owner, user, service, sizes)
        yield from _searches(owner, user, searches, sizes)
        yield from _statistics(owner, user, service, sizes)
        yield from _writes(owner, user, sizes)


def _load(conn: psycopg.Connection[Any], sizes: Sizes) -> Searches:
    """Fill the database; return queries of the kind that the rows are of, each with one of no kind."""
    conn.execute(f"SET search_path = {PATH}".encode())
    conn.execute("SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    # Shared memory, which several processes would need for it, is scarce in some containers.
    conn.execute("SET max_parallel_maintenance_workers = 0; SELECT setseed(0.5)")
    vector_indexes = conn.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'aurum' AND indexdef ~ 'USING hnsw'"
    ).fetchall()
    conn.execute(f"DROP INDEX {', '.join(name for name, _ in vector_indexes)}".encode())
    values = {
        "users": sizes.users,
        "people": [*PEOPLE],
        "wide": [*sizes.wide],
        "narrow": [*sizes.narrow],
        "firsts": [sum(sizes.wide[:place]) for place in range(3)],
    }
    with psycopg.ClientCursor(conn) as cursor:
        cursor.execute(POOL_SQL.encode())
        cursor.execute(FILL_SQL.encode(), values)
        cursor.execute(WITH_EMBEDDINGS_SQL.encode(), values)
        searches = cursor.execute(QUERIES_SQL.encode(), {"queries": sizes.queries}).fetchall()
    conn.execute(
        "INSERT INTO user_stats ("
        " user_id, total_journal_entries, total_tasks, tasks_completed, total_areas, total_projects,"
        " completed_projects, total_ai_interactions, insights_generated, insights_applied, total_focus_time_minutes"
        ") SELECT"
        " user_id, total_journal_entries, total_tasks, tasks_completed, total_areas, total_projects,"
        " completed_projects, total_ai_interactions, insights_generated, insights_applied, total_focus_time_minutes"
        " FROM user_counters(ARRAY(SELECT id FROM auth.users))"
    )
    for _, definition in vector_indexes:
        conn.execute(definition.encode())
    conn.execute(
        b"CREATE SCHEMA copy; CREATE TABLE copy.tasks (LIKE tasks INCLUDING DEFAULTS INCLUDING INDEXES);"
        b" INSERT INTO copy.tasks SELECT * FROM tasks WHERE description_embedding IS NULL"
    )
    conn.execute("VACUUM (ANALYZE)")
    return [(str(related), str(unrelated)) for related, unrelated in searches]


def _number(number: int, sizes: Sizes) -> int:
    """Return one of the users, another one each time."""
    return 1 + number * 7919 % sizes.users


def _hierarchy(owner: Session, user: Session, service: Session, sizes: Sizes) -> Iterator[Row]:
    service.prepare("refresh", "SELECT refresh_hierarchy_view()")
    yield time_row("refresh_hierarchy_view(), all tasks", [service.time("refresh") for _ in range(2)])
    owner.prepare("joined", _HIERARCHY)
    user.prepare("mine", "SELECT * FROM my_hierarchy")
    ids = [_user_id(owner, _number(number, sizes)) for number in range(50)]

    def mine(number: int) -> float:
        user.act_as(ids[number % 50])
        return user.time("mine")

    found = pairs(sizes.rounds, sizes.calls, mine, lambda number: owner.time("joined", ids[number % 50]), warm_up=10)
    yield ratio_row("hierarchy of a user, p50 : the view's own query", at(0.5, found))
    yield ratio_row("hierarchy of a user, p95 : the view's own query", at(0.95, found))
    slowest = [mine_ for mine_, _ in at(0.95, found)]
    yield time_row("hierarchy of a user, p95", slowest, below=0.1)


def _user_id(owner: Session, number: int) -> UUID:
    row = owner.conn.execute("SELECT md5('user' || %s::int)::uuid", [number]).fetchone()
    assert row
    return UUID(str(row[0]))


def _searches(owner: Session, user: Session, searches: Searches, sizes: Sizes) -> Iterator[Row]:
    """Yield what searches find, and what they take against the plain query."""
    user.act_as(PEOPLE[0])
    for function, (ours, plain, exact) in SEARCHES.items():
        user.prepare(function, ours.format(n=COUNT))
        user.prepare(f"{function}_plain", plain.format(n=COUNT).replace("$1)", "$1::vector)", 1))
        for place, person in enumerate(PEOPLE):
            user.act_as(person)
            wide, narrow = sizes.wide[place], sizes.narrow[place]
            what = f"{function}, {wide if function != 'rag_search' else 2 * wide + 2 * narrow:,} rows"

            def search(query: str, ours: str = ours) -> list[Any]:
                call = ours.format(n=COUNT).replace("$1", "%s")
                return [row[:1] for row in user.conn.execute(call.encode(), [query])]

            def best(query: str, exact: str = exact, person: UUID = person) -> list[Any]:
                call = exact.format(n=COUNT).replace("$1", "%(query)s").replace("$2", "%(of)s")
                return owner.conn.execute(call.encode(), {"query": query, "of": person}).fetchall()

            yield found_row(f"{what}: rows and recall@{COUNT}", searches, search, best)
            calls = sizes.slow_calls * (1 if place == 2 else 5)
            for kind, label in [(0, ""), (1, ", an unrelated query")][: 1 + place // 2]:
                found = pairs(
                    sizes.rounds,
                    calls,
                    _timed(user, function, searches, kind),
                    _timed(user, f"{function}_plain", searches, kind, person),
                    warm_up=min(calls, 10),
                )
                yield ratio_row(f"{what}{label}, p50 : the plain query", at(0.5, found))
                yield time_row(f"{what}{label}, p95", [mine for mine, _ in at(0.95, found)], below=0.5)


def _timed(session: Session, name: str, searches: Searches, kind: int, *of: UUID) -> Callable[[int], float]:
    return lambda number: session.time(name, searches[number % len(searches)][kind], *of)


def _statistics(owner: Session, user: Session, service: Session, sizes: Sizes) -> Iterator[Row]:
    user.prepare("statistics", "SELECT * FROM refresh_user_statistics()")
    owner.prepare(
        "batch",
        "SELECT compute_statistics(current_date, 'daily',"
        " ARRAY(SELECT md5('user' || n)::uuid FROM generate_series(1, $1::int) AS n))",
    )
    ids = [_user_id(owner, _number(number, sizes)) for number in range(50)]
    users = min(1000, sizes.users)

    def one(number: int) -> float:
        user.act_as(ids[number % 50])
        return user.time("statistics")

    found = pairs(sizes.rounds, sizes.slow_calls, one, lambda _: owner.time("batch", users) / users, warm_up=1)
    yield ratio_row(f"statistics of one user and day, p50 : of {users:,} at once, per user", at(0.5, found))
    yield time_row("statistics of one user and day, p95", [mine for mine, _ in at(0.95, found)], below=1)
    user.act_as(PEOPLE[2])
    large = [user.time("statistics") for _ in range(sizes.slow_calls)]
    yield time_row(f"statistics of a user with {sizes.wide[2]:,} tasks", large, below=1)
    service.prepare("everybody", "SELECT refresh_all_statistics()")
    yield time_row(f"refresh_all_statistics(), {sizes.users:,} users", [service.time("everybody")])
    service.prepare("refresh_stats", "SELECT refresh_user_stats()")
    yield time_row(f"refresh_user_stats(), {sizes.users:,} users", [service.time("refresh_stats")])
    service.prepare("quality", "SELECT * FROM data_quality_report()")
    yield time_row(f"data_quality_report(), {sizes.users * 100:,} tasks", [service.time("quality")])


def _writes(owner: Session, user: Session, sizes: Sizes) -> Iterator[Row]:
    """Yield what it costs a user to write, and the owner on a bare copy."""
    user.act_as(_user_id(owner, 1))
    values = "(id, user_id, project_id, name) VALUES ($1::uuid, $2::uuid, $3::uuid, 'Swim two kilometres')"
    user.prepare("insert_task", f"INSERT INTO tasks {values}")
    owner.prepare("insert_bare", f"INSERT INTO copy.tasks {values}")
    user.prepare("complete", "UPDATE tasks SET completed = NOT completed WHERE id = $1::uuid")
    owner.prepare("complete_bare", "UPDATE copy.tasks SET completed = NOT completed WHERE id = $1::uuid")
    me = _user_id(owner, 1)
    row = owner.conn.execute("SELECT id FROM projects WHERE user_id = %s LIMIT 1", [me]).fetchone()
    tasks = [id for (id,) in owner.conn.execute("SELECT id FROM tasks WHERE user_id = %s LIMIT 50", [me])]
    assert row

    def inserted(session: Session, name: str) -> Callable[[int], float]:
        return lambda number: session.time(name, UUID(int=number, version=4), me, row[0])

    found = pairs(sizes.rounds, sizes.calls, inserted(user, "insert_task"), inserted(owner, "insert_bare"), warm_up=10)
    yield ratio_row("a user inserts a task : a bare insert", at(0.5, found))
    found = pairs(
        sizes.rounds,
        sizes.calls,
        lambda number: user.time("complete", tasks[number % 50]),
        lambda number: owner.time("complete_bare", tasks[number % 50]),
        warm_up=10,
    )
    yield ratio_row("a user completes a task : a bare update", at(0.5, found))
    user.prepare("move_area", "UPDATE areas SET pillar_id = $1::uuid WHERE id = $2::uuid")
    area, pillars = _area(owner, me)
    yield time_row(
        "a user moves an area with 2 projects and 20 tasks",
        [user.time("move_area", pillars[number % 2], area) for number in range(sizes.slow_calls)],
    )


def _area(owner: Session, user: UUID) -> tuple[UUID, list[UUID]]:
    """Return an area of a user and two of the user's pillars."""
    area = owner.conn.execute("SELECT id FROM areas WHERE user_id = %s ORDER BY id LIMIT 1", [user]).fetchone()
    pillars = owner.conn.execute("SELECT id FROM pillars WHERE user_id = %s ORDER BY id LIMIT 2", [user]).fetchall()
    assert area
    return UUID(str(area[0])), [UUID(str(id)) for (id,) in pillars]
