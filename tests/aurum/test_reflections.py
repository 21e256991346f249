"""What people write at the end of a day, what they say to the assistant, and what it learns of their habits."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.aurum.world import User, World, build_world, reflect, say
from tests.people import Person, blocked, insert
from tests.vectors import vector

MOODS = ["excited", "happy", "content", "neutral", "frustrated", "sad", "anxious", "overwhelmed"]
PATTERNS = [
    *("peak_productivity_hours", "task_completion_time", "procrastination_triggers", "energy_patterns"),
    *("focus_duration", "break_frequency"),
]
BLANK = ("", " \n", "\u200b")


def learn(db: Person, user: User, **columns: Any) -> UUID:
    """Insert a pattern of a user and return its id."""
    return insert(
        db,
        "user_behavior_patterns",
        **{"user_id": user.id, "pattern_type": "energy_patterns", "pattern_data": "{}", "sample_size": 7, **columns},
    )


MAKERS: dict[str, Callable[..., UUID]] = {
    "daily_reflections": reflect,
    "ai_conversation_memory": say,
    "user_behavior_patterns": learn,
}


def check_refused(db: Person, world: World, table: str, said: dict[str, Any], constraint: str) -> None:
    """See that nobody who may write a table inserts a row with this, or changes one into it."""
    make = MAKERS[table]
    made = make(db, world.ann)
    changes = ", ".join(f"{column} = %({column})s" for column in said)
    services = [db.as_service()]
    for act in services if table == "user_behavior_patterns" else [db.as_user(world.ann.id), *services]:
        with act:
            with db.refused(constraint, "23514"):
                make(db, world.ann, **said)
            with db.refused(constraint, "23514"):
                db.run(f"UPDATE {table} SET {changes} WHERE id = %(id)s", {**said, "id": made})


def check_needed(db: Person, world: World, table: str, column: str) -> None:
    """See that a column is not left empty."""
    with db.refused(sqlstate="23502") as caught:
        MAKERS[table](db, world.ann, **{column: None})
    assert caught.value.diag.column_name == column


# Reflections


@pytest.mark.rule("AUR-09", "accepts")
@pytest.mark.parametrize("mood", [*MOODS, None])
def test_every_mood(db: Person, world: World, mood: str | None) -> None:
    with db.as_user(world.ann.id):
        made = reflect(db, world.ann, mood=mood)
        assert db.value("SELECT mood FROM daily_reflections WHERE id = %s", [made]) == mood


@pytest.mark.rule("AUR-09", "accepts")
@pytest.mark.parametrize("score", [1, 10, None])
def test_scores_are_from_1_to_10(db: Person, world: World, score: int | None) -> None:
    with db.as_user(world.ann.id):
        made = reflect(
            db,
            world.ann,
            completion_score=score,
            energy_level=score,
            productivity_score=score,
            alignment_score=score and score / 10,
            tasks_completed_count=score or 0,
            focus_time_minutes=score or 0,
        )
        row = db.row("SELECT * FROM daily_reflections WHERE id = %s", [made])
    assert row.completion_score == row.energy_level == row.productivity_score == score
    assert (row.tasks_completed_count, row.focus_time_minutes) == (score or 0, score or 0)
    assert row.alignment_score is None if score is None else float(row.alignment_score) == score / 10
    assert row.reflection_date == db.value("SELECT current_date")


@pytest.mark.rule("AUR-09", "refuses")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("reflection_text", value) for value in BLANK),
        *(("mood", value) for value in ("", "Happy", "grateful")),
        *(
            (column, value)
            for column in ("completion_score", "energy_level", "productivity_score")
            for value in (0, 11)
        ),
        *(("alignment_score", value) for value in ("-0.01", "1.01", "NaN")),
        ("tasks_completed_count", -1),
        ("focus_time_minutes", -1),
    ],
)
def test_what_is_no_reflection_is_refused(db: Person, world: World, column: str, value: Any) -> None:
    check_refused(db, world, "daily_reflections", {column: value}, f"daily_reflections_{column}_check")


@pytest.mark.rule("AUR-09", "refuses")
@pytest.mark.parametrize("column", ["reflection_embedding", "accomplishment_embedding", "challenges_embedding"])
def test_an_embedding_has_a_direction(db: Person, world: World, column: str) -> None:
    with db.as_service():
        for value in (vector(0), vector(1e-20), vector(1e20)):
            with db.refused("daily_reflections_embeddings_check"):
                reflect(db, world.ann, **{column: value})
        with db.refused(sqlstate="22000"):
            reflect(db, world.ann, **{column: "[1,2,3]"})
        made = reflect(db, world.ann, **{column: vector(1)})
        assert db.value(f"SELECT {column} IS NOT NULL FROM daily_reflections WHERE id = %s", [made])


@pytest.mark.rule("AUR-09", "refuses")
@pytest.mark.parametrize(
    "column", ["user_id", "reflection_date", "reflection_text", "tasks_completed_count", "focus_time_minutes"]
)
def test_what_a_reflection_needs(db: Person, world: World, column: str) -> None:
    check_needed(db, world, "daily_reflections", column)


@pytest.mark.rule("AUR-09", "accepts")
@pytest.mark.rule("AUR-09", "refuses")
def test_there_is_one_reflection_for_each_user_and_day(db: Person, world: World) -> None:
    with db.as_user(world.ann.id):
        first = reflect(db, world.ann, reflection_date="2026-01-05")
        second = reflect(db, world.ann, reflection_date="2026-01-06")
        with db.refused("unique_user_date", "23505"):
            reflect(db, world.ann, reflection_date="2026-01-05")
        with db.refused("unique_user_date", "23505"):
            db.run("UPDATE daily_reflections SET reflection_date = '2026-01-05' WHERE id = %s", [second])
        # The day may be corrected, and the text be sent again.
        db.run("UPDATE daily_reflections SET reflection_date = '2026-01-07' WHERE id = %s", [second])
        again = db.row(
            "INSERT INTO daily_reflections (user_id, reflection_date, reflection_text)"
            " VALUES (%s, '2026-01-05', 'Better')"
            " ON CONFLICT (user_id, reflection_date) DO UPDATE SET reflection_text = excluded.reflection_text"
            " RETURNING id, reflection_text",
            [world.ann.id],
        )
        assert again == (first, "Better")
    with db.as_user(world.bob.id):
        reflect(db, world.bob, reflection_date="2026-01-05")
    assert db.value("SELECT count(*) FROM daily_reflections") == 3


@pytest.mark.rule("AUR-09", "refuses")
def test_of_two_reflections_at_the_same_moment_one_is_refused(connect: Callable[[], Person]) -> None:
    owner, one, two = connect(), connect(), connect()
    ann = build_world(owner).ann
    write = "INSERT INTO daily_reflections (user_id, reflection_text) VALUES (%s, 'Twice')"
    with one.as_user(ann.id), two.as_user(ann.id):
        with one.conn.transaction():
            one.run(write, [ann.id])
            with blocked(two, one, write, [ann.id]) as second:
                one.run("COMMIT")
        with pytest.raises(psycopg.errors.UniqueViolation, match="unique_user_date"):
            second.result()


# Conversations


@pytest.mark.rule("AUR-10", "accepts")
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_every_role(db: Person, world: World, role: str) -> None:
    with db.as_user(world.ann.id):
        made = say(db, world.ann, message_role=role)
        row = db.row("SELECT * FROM ai_conversation_memory WHERE id = %s", [made])
    assert (row.message_role, row.tokens_used, row.context_entities) == (role, 0, {})
    assert row.session_id is not None
    assert row.conversation_date == db.value("SELECT current_date")


ENTITIES = [
    {},
    {"tasks": []},
    {"tasks": ["a", 1], "projects": [], "areas": [{}], "pillars": [[]]},
    {"notes": [None]},
]


@pytest.mark.rule("AUR-10", "accepts")
@pytest.mark.parametrize("entities", ENTITIES)
def test_context_entities_are_arrays_by_name(db: Person, world: World, entities: dict[str, Any]) -> None:
    with db.as_user(world.ann.id):
        made = say(db, world.ann, context_entities=json.dumps(entities), tokens_used=2_147_483_647, response_time_ms=0)
        row = db.row("SELECT * FROM ai_conversation_memory WHERE id = %s", [made])
    assert (row.context_entities, row.tokens_used, row.response_time_ms) == (entities, 2_147_483_647, 0)


@pytest.mark.rule("AUR-10", "refuses")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("message_role", value) for value in ("", "User", "tool")),
        *(("message_content", value) for value in BLANK),
        ("tokens_used", -1),
        ("response_time_ms", -1),
        *(
            ("context_entities", value)
            for value in (
                *("null", "[]", "[[]]", '"tasks"', "1", "true"),
                *('{"tasks": {}}', '{"tasks": null}', '{"tasks": "a"}', '{"tasks": [], "areas": {"a": []}}'),
                *('{"tasks": 1}', '{"tasks": true}'),
            )
        ),
    ],
)
def test_what_is_no_message_is_refused(db: Person, world: World, column: str, value: Any) -> None:
    check_refused(db, world, "ai_conversation_memory", {column: value}, f"ai_conversation_memory_{column}_check")


@pytest.mark.rule("AUR-10", "refuses")
def test_an_embedding_of_a_message_has_a_direction(db: Person, world: World) -> None:
    with db.as_service():
        for value in (vector(0), vector(1e-20), vector(1e20)):
            with db.refused("ai_conversation_memory_message_embedding_check"):
                say(db, world.ann, message_embedding=value)
        assert say(db, world.ann, message_embedding=vector(1))


@pytest.mark.rule("AUR-10", "refuses")
@pytest.mark.parametrize(
    "column",
    [
        *("user_id", "conversation_date", "session_id", "message_role", "message_content", "context_entities"),
        "tokens_used",
    ],
)
def test_what_a_message_needs(db: Person, world: World, column: str) -> None:
    check_needed(db, world, "ai_conversation_memory", column)


# Patterns


@pytest.mark.rule("AUR-12", "accepts")
@pytest.mark.parametrize("kind", PATTERNS)
def test_every_type_of_pattern(db: Person, world: World, kind: str) -> None:
    with db.as_service():
        made = learn(db, world.ann, pattern_type=kind, pattern_data='{"hours": [9, 10]}', confidence_score=0.5)
    with db.as_user(world.ann.id):
        row = db.row("SELECT * FROM user_behavior_patterns")
    assert (row.id, row.pattern_type, row.pattern_data, row.is_active) == (made, kind, {"hours": [9, 10]}, True)


@pytest.mark.rule("AUR-12", "accepts")
@pytest.mark.parametrize(
    "said",
    [
        *({"confidence_score": value} for value in ("0", "1", None)),
        {"sample_size": 1},
        {"valid_until": None},
        {"detected_at": "2026-01-01Z", "valid_until": "2026-01-01 00:00:00.000001Z"},
        {"valid_until": "infinity"},
    ],
)
def test_what_a_pattern_may_be(db: Person, world: World, said: dict[str, Any]) -> None:
    with db.as_service():
        made = learn(db, world.ann, **said)
        assert (
            db.value(
                f"SELECT count(*) FROM user_behavior_patterns WHERE id = %(id)s AND ({', '.join(said)})"
                f" IS NOT DISTINCT FROM ({', '.join(f'%({column})s' for column in said)})",
                {**said, "id": made},
            )
            == 1
        )


@pytest.mark.rule("AUR-12", "refuses")
@pytest.mark.parametrize(
    ("said", "rule"),
    [
        *(({"pattern_type": value}, "pattern_type") for value in ("", "Energy_patterns", "sleep")),
        *(({"confidence_score": value}, "confidence_score") for value in ("-0.01", "1.01", "NaN")),
        *(({"sample_size": value}, "sample_size") for value in (0, -1)),
        *(
            ({"detected_at": "2026-01-02Z", "valid_until": value}, "valid_until")
            for value in ("2026-01-02Z", "2026-01-01Z", "-infinity")
        ),
    ],
)
def test_what_is_no_pattern_is_refused(db: Person, world: World, said: dict[str, Any], rule: str) -> None:
    check_refused(db, world, "user_behavior_patterns", said, f"user_behavior_patterns_{rule}_check")


@pytest.mark.rule("AUR-12", "refuses")
@pytest.mark.parametrize(
    "column", ["user_id", "pattern_type", "pattern_data", "sample_size", "detected_at", "is_active"]
)
def test_what_a_pattern_needs(db: Person, world: World, column: str) -> None:
    check_needed(db, world, "user_behavior_patterns", column)


# What stays


@pytest.mark.rule("AUR-09", "refuses")
@pytest.mark.rule("AUR-10", "refuses")
@pytest.mark.rule("AUR-12", "refuses")
@pytest.mark.parametrize("table", MAKERS)
def test_a_row_stays_its_owners(db: Person, world: World, table: str) -> None:
    made = MAKERS[table](db, world.ann)
    changes: dict[str, Any] = {"user_id": world.bob.id, "id": uuid4()}
    if table == "user_behavior_patterns":
        changes["created_at"] = "2020-01-01"
    with db.as_service():
        for column, value in changes.items():
            with db.refused(f"{table}_immutable_check", "23514"):
                db.run(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, made])
    assert db.value(f"SELECT user_id FROM {table} WHERE id = %s", [made]) == world.ann.id


@pytest.mark.rule("AUR-09", "accepts")
@pytest.mark.rule("AUR-10", "accepts")
@pytest.mark.parametrize("table", ["daily_reflections", "ai_conversation_memory"])
def test_creation_is_dated_by_the_database_and_by_imports(db: Person, world: World, table: str) -> None:
    created = f"SELECT created_at FROM {table} WHERE id = %s"
    now = db.value("SELECT now()")
    given = {"created_at": "2020-01-01Z"}
    with db.as_user(world.ann.id):
        made = MAKERS[table](db, world.ann, **given)
        assert db.value(created, [made]) == now
    for act in (db.as_user(world.bob.id), db.as_service()):
        with act:
            db.run(f"UPDATE {table} SET created_at = '2021-01-01'")
    assert db.value(created, [made]) == now
    with db.as_service():
        made = MAKERS[table](db, world.bob, **given)
        assert db.value(created, [made]).year == 2020
    with db.as_user(world.bob.id):
        db.run(f"UPDATE {table} SET created_at = '2021-01-01'")
    assert db.value(created, [made]).year == 2020


@pytest.mark.rule("AUR-09", "accepts")
@pytest.mark.rule("AUR-12", "accepts")
def test_updated_at_moves_with_every_change(db: Person, world: World) -> None:
    """But not with an embedding, which is no change of what was written."""
    now = db.value("SELECT now()")
    with db.as_service():
        pattern = learn(db, world.ann, updated_at="2020-01-01Z")
        reflection = reflect(db, world.ann, updated_at="2020-01-01Z")
        updated = "SELECT updated_at FROM daily_reflections WHERE id = %s"
        db.run("UPDATE daily_reflections SET reflection_embedding = %s", [vector(1)])
        assert db.value(updated, [reflection]).year == 2020
        db.run("UPDATE daily_reflections SET mood = 'happy'")
        assert db.value(updated, [reflection]) == now
        db.run("UPDATE user_behavior_patterns SET sample_size = 8")
        assert db.value("SELECT updated_at FROM user_behavior_patterns WHERE id = %s", [pattern]) == now
