"""The hot paths: what a chat and a search need, in few rows read and under any search_path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.databases import INSTANCES
from tests.hugo.world import World, begin, build_world, say
from tests.people import Person, insert

CONTEXT = "SELECT * FROM get_chat_context(%s, %s)"
SEARCH = "SELECT * FROM search_knowledge(%s, %s, %s)"
PROFILE = "SELECT * FROM get_user_context(%s, %s)"
PERSONALITY = {"tone": "warm", "focus": ["empathy"], "constraints": [], "examples": []}


def learn(db: Person, kb: UUID, title: str, content: str = "Nothing else", **columns: Any) -> UUID:
    """Create a knowledge entry and return its id."""
    return insert(db, "knowledge_entries", knowledge_base_id=kb, title=title, content=content, **columns)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def rows_read(db: Person, sql: str, params: list[Any], table: str) -> int:
    """How many rows of a table a query reads, those it throws away included."""
    (explained,) = db.value(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
    scans = [node for node in nodes(explained["Plan"]) if node.get("Relation Name") == table]
    assert scans, "the query does not read the table in the open"
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return sum(
        round((scan["Actual Rows"] + sum(scan.get(key, 0) for key in removed)) * scan["Actual Loops"]) for scan in scans
    )


def index_scans(db: Person, index: str) -> int:
    return db.value("SELECT pg_stat_get_xact_numscans(%s::regclass)", [index])


# The context of a chat


@pytest.mark.rule("HUGO-37", "accepts")
def test_a_chat_gets_all_it_needs_in_one_row(db: Person, world: World) -> None:
    personality = insert(
        db,
        "personality_schemas",
        schema_id="core",
        version="1.0.0",
        layer="base",
        schema=json.dumps(PERSONALITY),
        created_by="tests",
    )
    for status in ("testing", "active"):
        db.run("UPDATE personality_schemas SET status = %s", [status])
    insert(db, "knowledge_bases", kb_id="asleep", title="Asleep", app_ids=["coach"], is_active=False)
    insert(db, "knowledge_bases", kb_id="another", title="Another", app_ids=["coach"])
    db.run(
        "UPDATE apps SET personality_schema_id = %s, knowledge_base_ids = '{coach_kb,asleep,another}'", [personality]
    )
    insert(
        db,
        "user_progress",
        user_id=world.ann,
        app_id=world.app,
        progress_data='{"step": 1}',
        milestones_reached=["first"],
        current_focus_area="trust",
    )
    message = say(db, begin(db, world.ann, world.app), role="assistant", model="m", confidence_score=0.5)
    with db.as_user(world.ann):
        found = db.row(CONTEXT, ["coach", world.ann])
    assert found._asdict() | {"recent_messages": None} == {
        "app_id": "coach",
        "display_name": "Coach",
        "domain": "career",
        "personality_schema": PERSONALITY,
        "knowledge_bases": ["another", "coach_kb"],
        "recent_messages": None,
        "progress_data": {"step": 1},
        "current_focus_area": "trust",
        "milestones_reached": ["first"],
    }
    columns = db.value("SELECT to_jsonb(m) - 'user_id' - 'app_id' FROM messages AS m WHERE id = %s", [message])
    assert found.recent_messages == [columns]


@pytest.mark.rule("HUGO-37", "accepts")
@pytest.mark.parametrize("acting", ["as_user", "as_service"])
def test_a_bare_app_and_a_new_user_still_get_a_row(db: Person, world: World, acting: str) -> None:
    db.run("UPDATE knowledge_bases SET is_active = false")
    with db.as_service() if acting == "as_service" else db.as_user(world.ann):
        found = db.row(CONTEXT, ["coach", world.ann])
    assert (found.personality_schema, found.knowledge_bases, found.recent_messages) == (None, [], [])
    assert (found.progress_data, found.current_focus_area, found.milestones_reached) == (None, None, None)


@pytest.mark.rule("HUGO-37", "accepts")
def test_the_newest_ten_messages_of_all_conversations_come_newest_first(db: Person, world: World) -> None:
    conversations = [begin(db, world.ann, world.app) for _ in range(3)]
    messages = [say(db, conversations[number % 3], f"Message {number}") for number in range(12)]
    at_once = db.value("SELECT now() + interval '1 hour'")
    twins = [say(db, conversations[0], "Twin", created_at=at_once) for _ in range(2)]
    with db.as_user(world.ann):
        found = db.row(CONTEXT, ["coach", world.ann]).recent_messages
    assert [UUID(message["id"]) for message in found] == sorted(twins, reverse=True) + messages[:3:-1]


@pytest.mark.rule("HUGO-37", "accepts")
def test_the_newest_ten_are_well_defined_where_messages_came_at_once(db: Person, world: World) -> None:
    conversation = begin(db, world.ann, world.app)
    at_once = db.value("SELECT now()")
    messages = [say(db, conversation, created_at=at_once) for _ in range(20)]
    # Whatever the plan: the index would bring them in this order by itself.
    db.run("SET LOCAL enable_indexscan = off")
    with db.as_user(world.ann):
        found = db.row(CONTEXT, ["coach", world.ann]).recent_messages
    assert [UUID(message["id"]) for message in found] == sorted(messages, reverse=True)[:10]


@pytest.mark.rule("HUGO-37", "refuses")
@pytest.mark.parametrize("app_id", ["asleep", "nobody", "", "COACH", None, "coach' OR true --"])
def test_no_row_for_an_app_that_is_not_active(db: Person, world: World, app_id: str | None) -> None:
    db.run("UPDATE knowledge_bases SET app_ids = '{coach,asleep}'")
    insert(
        db,
        "apps",
        app_id="asleep",
        display_name="Asleep",
        domain="career",
        knowledge_base_ids=["coach_kb"],
        is_active=False,
    )
    with db.as_user(world.ann):
        assert db.rows(CONTEXT, [app_id, world.ann]) == []


@pytest.mark.rule("HUGO-37", "refuses")
def test_nothing_of_another_user_or_app_is_shown(db: Person, world: World) -> None:
    db.run("UPDATE knowledge_bases SET app_ids = '{coach,mentor}'")
    mentor = insert(
        db, "apps", app_id="mentor", display_name="Mentor", domain="career", knowledge_base_ids=["coach_kb"]
    )
    for user, app in ((world.bob, world.app), (world.ann, mentor)):
        say(db, begin(db, user, app), "Secret")
        insert(db, "user_progress", user_id=user, app_id=app, current_focus_area="secret")
    with db.as_user(world.ann):
        for user in (world.ann, world.bob, uuid4(), None):
            found = db.row(CONTEXT, ["coach", user])
            assert (found.recent_messages, found.progress_data, found.current_focus_area) == ([], None, None)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(CONTEXT, ["coach", world.ann])


@pytest.mark.rule("HUGO-37", "accepts")
@pytest.mark.rule("HUGO-37", "refuses")
def test_a_long_history_is_not_read(db: Person, world: World) -> None:
    for user, messages in ((world.ann, 3000), (world.bob, 1000)):
        for conversation in [begin(db, user, world.app) for _ in range(10)]:
            db.run(
                "INSERT INTO messages (conversation_id, role, content)"
                " SELECT %s, 'user', 'Hello' FROM generate_series(1, %s)",
                [conversation, messages // 10],
            )
    db.run("ANALYZE messages, conversations")
    for acting in (db.as_user(world.ann), db.as_service()):
        with acting:
            assert rows_read(db, CONTEXT, ["coach", world.ann], "messages") == 10


# Search


@pytest.mark.rule("HUGO-38", "accepts")
def test_a_search_returns_its_columns_best_first(db: Person, world: World) -> None:
    in_content = learn(db, world.kb, "Other", "About trust", tags=["t"], category=None)
    in_title = learn(db, world.kb, "Trust", "Other", category="principles", tags=["a", "b"])
    in_tags = learn(db, world.kb, "Other", "Other", tags=["trust"])
    learn(db, world.kb, "Other", "Other")
    with db.as_user(world.ann):
        found = db.rows(SEARCH, ["trusting", "coach", 10])
    assert [row.id for row in found] == [in_title, in_content, in_tags]
    assert found[0]._asdict() | {"relevance": None} == {
        "id": in_title,
        "title": "Trust",
        "content": "Other",
        "category": "principles",
        "relevance": None,
        "tags": ["a", "b"],
        "kb_id": "coach_kb",
    }
    relevances = [row.relevance for row in found]
    assert relevances == sorted(relevances, reverse=True) and relevances[-1] > 0


@pytest.mark.rule("HUGO-38", "accepts")
@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("salary talk", {"Salary talk"}),
        ("salary or fear", {"Salary talk", "Fear of loss", "Salary fear"}),
        ("salary -fear", {"Salary talk"}),
        ('"fear of loss"', {"Fear of loss"}),
        ("the fear", {"Fear of loss", "Salary fear"}),
        ("SALARIES", {"Salary talk", "Salary fear"}),
        ('"salary talk', {"Salary talk"}),
        (f"salary {'-' * 40} talk", {"Salary talk"}),
    ],
)
def test_a_search_takes_what_people_type(db: Person, world: World, query: str, titles: set[str]) -> None:
    for title in ("Salary talk", "Fear of loss", "Salary fear"):
        learn(db, world.kb, title)
    with db.as_user(world.ann):
        assert {row.title for row in db.rows(SEARCH, [query, "coach", None])} == titles


@pytest.mark.rule("HUGO-38", "refuses")
@pytest.mark.parametrize(
    "query",
    [
        None,
        "",
        " \t\n",
        "the of and",
        '"',
        '"""',
        '"unfound words',
        "&|!<->()*:",
        "!!trust & (",
        "'; DROP TABLE apps; --",
        "trust:*",
        "-",
        "🙂\u200b",
        "\\",
        "x" * 3000,
        "qqq " * 300_000,
        '"' * 5000,
        "- " * 5000,
    ],
    ids=lambda query: repr(query)[:20],
)
def test_an_odd_query_gives_no_row_and_no_error(db: Person, world: World, query: str | None) -> None:
    learn(db, world.kb, "Nothing", "the of and")
    with db.as_user(world.ann):
        assert db.rows(SEARCH, [query, "coach", 10]) == []


@pytest.mark.rule("HUGO-38", "accepts")
@pytest.mark.rule("HUGO-38", "refuses")
@pytest.mark.parametrize(
    ("limit", "rows"), [(None, 10), (-5, 1), (0, 1), (1, 1), (2, 2), (99, 99), (100, 100), (101, 100), (1000, 100)]
)
def test_the_limit_is_kept_within_1_and_100(db: Person, world: World, limit: int | None, rows: int) -> None:
    db.run(
        "INSERT INTO knowledge_entries (knowledge_base_id, title, content)"
        " SELECT %s, 'Trust', 'Trust' FROM generate_series(1, 120)",
        [world.kb],
    )
    with db.as_user(world.ann):
        assert len(db.rows(SEARCH, ["trust", "coach", limit])) == rows


@pytest.mark.rule("HUGO-38", "refuses")
@pytest.mark.parametrize(
    ("change", "app_id"),
    [
        ("UPDATE knowledge_bases SET is_active = false", "coach"),
        ("UPDATE knowledge_bases SET is_active = NULL", "coach"),
        # Neither side alone makes a knowledge base the app's.
        ("UPDATE apps SET knowledge_base_ids = '{another}'", "coach"),
        ("UPDATE knowledge_bases SET app_ids = '{mentor}'", "coach"),
        ("SELECT 1", "nobody"),
        ("SELECT 1", None),
    ],
)
def test_only_active_knowledge_of_the_app_is_found(db: Person, world: World, change: str, app_id: str | None) -> None:
    learn(db, world.kb, "Trust")
    with db.as_user(world.ann):
        assert len(db.rows(SEARCH, ["trust", "coach", 10])) == 1
    db.run(change)
    for acting in (db.as_user(world.ann), db.as_service()):
        with acting:
            assert db.rows(SEARCH, ["trust", app_id, 10]) == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(SEARCH, ["trust", "coach", 10])


@pytest.mark.rule("HUGO-38", "accepts")
def test_a_search_uses_the_full_text_index(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO knowledge_entries (knowledge_base_id, title, content)"
        " SELECT %s, 'Entry ' || n, 'word' || n || repeat(' filler', 100) FROM generate_series(1, 1000) AS n",
        [world.kb],
    )
    db.run("ANALYZE knowledge_entries, knowledge_bases, apps")
    # What other tests rolled back still stands in the index's list of pending entries, and makes it look expensive.
    db.run("SELECT gin_clean_pending_list('ke_search_idx'::regclass)")
    for acting in (db.as_user(world.ann), db.as_service()):
        with acting:
            before = index_scans(db, "ke_search_idx")
            assert [row.title for row in db.rows(SEARCH, ["word77", "coach", 10])] == ["Entry 77"]
            assert index_scans(db, "ke_search_idx") == before + 1


# The context of a user


@pytest.mark.rule("HUGO-39", "accepts")
def test_a_user_gets_profile_progress_and_memories(db: Person, world: World) -> None:
    insert(db, "user_progress", user_id=world.ann, app_id=world.app, current_focus_area="trust")
    insert(db, "user_memories", user_id=world.ann, app_id=world.app, memory_type="insight", content="Likes walks")
    with db.as_user(world.ann):
        found = db.row(PROFILE, [world.ann, "coach"])
        profile = db.value("SELECT to_jsonb(u) - '{oriva_user_id,created_at,updated_at}'::text[] FROM users AS u")
        progress = db.value("SELECT to_jsonb(p) - '{id,user_id,app_id}'::text[] FROM user_progress AS p")
        memory = db.value(
            "SELECT to_jsonb(m) - '{user_id,app_id,relevance_decay_rate}'::text[] FROM user_memories AS m"
        )
    assert found == (profile, progress, [memory])


@pytest.mark.rule("HUGO-39", "accepts")
def test_the_twenty_most_important_memories_come_first(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO user_memories (user_id, app_id, memory_type, content, importance, created_at, expires_at)"
        " SELECT %s, %s, 'insight', x.content, x.importance, now() - x.age, now() + x.rest FROM ("
        " SELECT 'm' || n, n / 100.0, interval '0', interval '1 day' FROM generate_series(1, 24) AS n"
        " UNION ALL VALUES ('younger', 0.24, interval '-1 hour', interval '1 day'),"
        " ('unknown', NULL, interval '0', interval '1 day'), ('endless', 0.23, interval '-1 hour', NULL),"
        " ('just gone', 1.00, interval '0', interval '0'), ('gone', 1.00, interval '0', interval '-1 day')"
        ") AS x (content, importance, age, rest)",
        [world.ann, world.app],
    )
    db.run("UPDATE user_memories SET expires_at = NULL WHERE content = 'endless'")
    with db.as_user(world.ann):
        memories = db.row(PROFILE, [world.ann, "coach"]).memories
    assert [memory["content"] for memory in memories] == [
        *("younger", "m24", "endless", "m23"),
        *(f"m{n}" for n in range(22, 6, -1)),
    ]


@pytest.mark.rule("HUGO-39", "accepts")
def test_a_user_without_anything_gets_a_row_too(db: Person, world: World) -> None:
    with db.as_service():
        found = db.row(PROFILE, [world.ann, "coach"])
    assert (found.profile["email"], found.progress, found.memories) == ("ann@example.org", None, [])


@pytest.mark.rule("HUGO-39", "refuses")
def test_no_row_for_another_user_or_an_unknown_app(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        assert len(db.rows(PROFILE, [world.ann, "coach"])) == 1
        for user, app_id in ((world.bob, "coach"), (uuid4(), "coach"), (None, "coach"), (world.ann, "nobody")):
            assert db.rows(PROFILE, [user, app_id]) == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(PROFILE, [world.ann, "coach"])


@pytest.mark.rule("HUGO-39", "refuses")
def test_memories_of_others_and_of_other_apps_stay_out(db: Person, world: World) -> None:
    db.run("UPDATE knowledge_bases SET app_ids = '{coach,mentor}'")
    mentor = insert(
        db, "apps", app_id="mentor", display_name="Mentor", domain="career", knowledge_base_ids=["coach_kb"]
    )
    for user, app in ((world.bob, world.app), (world.ann, mentor)):
        insert(db, "user_progress", user_id=user, app_id=app)
        insert(db, "user_memories", user_id=user, app_id=app, memory_type="insight", content="Secret")
    with db.as_user(world.ann):
        found = db.row(PROFILE, [world.ann, "coach"])
    assert (found.progress, found.memories) == (None, [])


# Prepared statements


@pytest.fixture
def preparing(db: Person) -> Iterator[Person]:
    """The session without prepared statements of these names, before and after."""

    def forget() -> None:
        for name in ("get_chat_context", "search_knowledge"):
            if db.rows("SELECT FROM pg_prepared_statements WHERE name = %s", [name]):
                db.run(f"DEALLOCATE {name}")

    db.conn.rollback()
    db = Person(db.conn, db.schema)
    forget()
    yield db
    db.conn.rollback()
    forget()
    db.conn.rollback()


def prepared(db: Person) -> list[tuple[str, list[str]]]:
    return [
        (row.name, row.types)
        for row in db.rows(
            "SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements"
            " WHERE name IN ('get_chat_context', 'search_knowledge') ORDER BY name"
        )
    ]


def execute(db: Person, user: UUID) -> tuple[str, list[str]]:
    """What the prepared statements find: the name of the app and the titles."""
    app = db.row(f"EXECUTE get_chat_context('coach', '{user}')").display_name
    return app, [row.title for row in db.rows("EXECUTE search_knowledge('trust', 'coach', 5)")]


@pytest.mark.rule("HUGO-40", "accepts")
@pytest.mark.parametrize(
    "path", ['"{schema}"', "pg_temp", "elsewhere, pg_catalog", "elsewhere, {schema}", "pg_temp, elsewhere"]
)
def test_prepared_statements_work_under_any_search_path(preparing: Person, path: str) -> None:
    db = preparing
    world = build_world(db)
    learn(db, world.kb, "Trust")
    db.run("CREATE SCHEMA elsewhere")
    db.run("GRANT USAGE ON SCHEMA elsewhere TO authenticated")
    db.run("CREATE TABLE elsewhere.apps (app_id text)")
    db.run("CREATE FUNCTION elsewhere.get_chat_context(text, uuid) RETURNS int LANGUAGE sql RETURN 1")
    db.run("CREATE TEMPORARY TABLE apps (app_id text) ON COMMIT DROP")
    db.run("CREATE TEMPORARY TABLE knowledge_entries (id uuid) ON COMMIT DROP")
    with db.as_user(world.ann):
        db.run(f"SET LOCAL search_path = {path.format(schema=db.schema)}")
        for _ in range(2):
            db.run(f'SELECT "{db.schema}".prepare_statements()')
            assert prepared(db) == [
                ("get_chat_context", ["text", "uuid"]),
                ("search_knowledge", ["text", "text", "integer"]),
            ]
            assert execute(db, world.ann) == ("Coach", ["Trust"])
        db.run("SET LOCAL search_path = pg_catalog")
        assert execute(db, world.ann) == ("Coach", ["Trust"])


@pytest.mark.rule("HUGO-40", "accepts")
def test_one_session_serves_two_instances_in_turn(preparing: Person) -> None:
    db = preparing
    other = next(schema for schema in INSTANCES["hugo"] if schema != db.schema)
    people = {}
    for schema in (db.schema, other):
        db.run(f'SET LOCAL search_path = "{schema}", platform')
        people[schema] = build_world(db).ann
        db.run("UPDATE apps SET display_name = current_schema()")
    for schema in (db.schema, other, db.schema):
        db.run(f'SELECT "{schema}".prepare_statements()')
        assert execute(db, people[schema]) == (schema, [])


@pytest.mark.rule("HUGO-40", "refuses")
def test_what_is_prepared_shows_no_more_than_its_caller_may_see(preparing: Person) -> None:
    db = preparing
    world = build_world(db)
    say(db, begin(db, world.ann, world.app), "Secret")
    context = f"EXECUTE get_chat_context('coach', '{world.ann}')"
    db.run("SELECT prepare_statements()")
    assert len(db.row(context).recent_messages) == 1
    with db.as_user(world.ann):
        assert len(db.row(context).recent_messages) == 1
    with db.as_user(world.bob):
        assert db.row(context).recent_messages == []
    with db.as_anon():
        for sql in ("SELECT prepare_statements()", context, "EXECUTE search_knowledge('trust', 'coach', 5)"):
            with db.refused(sqlstate="42501"):
                db.run(sql)
