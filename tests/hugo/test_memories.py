"""User memories: what they hold, how they fade and expire, and whose they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World, begin, say
from tests.people import Person, insert

# A point in time is given as an interval before now(), which stands still within a transaction.
JUST_MORE = "1 microsecond"


def remember(db: Person, user: UUID, app: UUID, **columns: Any) -> UUID:
    """Create a memory and return its id."""
    return insert(
        db,
        "user_memories",
        **{"user_id": user, "app_id": app, "memory_type": "insight", "content": "Likes walks", **columns},
    )


def ago(db: Person, interval: str) -> Any:
    return db.value("SELECT now() - %s::interval", [interval])


def importance(db: Person, memory: UUID) -> str:
    return db.value("SELECT importance::text FROM user_memories WHERE id = %s", [memory])


def exists(db: Person, memory: UUID) -> bool:
    return db.value("SELECT EXISTS (SELECT FROM user_memories WHERE id = %s)", [memory])


# What a memory holds


@pytest.mark.rule("HUGO-29", "accepts")
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *(("memory_type", kind) for kind in ("conversation_context", "user_preference", "milestone", "insight")),
        ("content", "."),
        ("content", " \u00a0né\n"),
        *((column, value) for column in ("importance", "relevance_decay_rate") for value in (0, 0.01, 0.99, 1)),
    ],
)
def test_a_proper_memory_is_kept(db: Person, world: World, column: str, value: Any) -> None:
    with db.as_user(world.ann):
        memory = remember(db, world.ann, world.app, **{column: value})
        found = db.value(f"SELECT {column} FROM user_memories WHERE id = %s", [memory])
    assert found == (value if isinstance(value, str) else Decimal(str(value)))


@pytest.mark.rule("HUGO-29", "accepts")
def test_a_memory_starts_at_half_importance(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        remember(db, world.ann, world.app)
        assert db.row("SELECT importance::text, relevance_decay_rate::text FROM user_memories") == ("0.50", "0.05")


@pytest.mark.rule("HUGO-29", "refuses")
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        *(("memory_type", kind, "um_type_check") for kind in ("", "Insight", "insight ", "secret")),
        *(("content", text, "um_content_check") for text in ("", " ", "\t\r\n", "\u00a0\u2003", "\u200b\ufeff")),
        *(("importance", value, "um_importance_check") for value in (-0.01, 1.01, 9.99, "NaN")),
        *(("relevance_decay_rate", value, "um_decay_check") for value in (-0.01, 1.01, 9.99, "NaN")),
    ],
)
def test_an_improper_memory_is_refused(db: Person, world: World, column: str, value: Any, rule: str) -> None:
    with db.as_user(world.ann):
        with db.refused(rule, "23514"):
            remember(db, world.ann, world.app, **{column: value})
        remember(db, world.ann, world.app)
        with db.refused(rule, "23514"):
            db.run(f"UPDATE user_memories SET {column} = %s", [value])


# Expiry


@pytest.mark.rule("HUGO-30", "accepts")
@pytest.mark.parametrize("days", [30, 365, 1825])
def test_a_memory_expires_after_its_users_retention(db: Person, world: World, days: int) -> None:
    db.run("UPDATE users SET data_retention_days = 400")
    db.run("UPDATE users SET data_retention_days = %s WHERE id = %s", [days, world.ann])
    expires = "SELECT expires_at - created_at = make_interval(days => %s) FROM user_memories WHERE id = %s"
    with db.as_user(world.ann):
        assert db.value(expires, [days, remember(db, world.ann, world.app)])
        assert db.value(expires, [days, remember(db, world.ann, world.app, expires_at=None)])
        # A client that names created_at does not move the expiry with it.
        dated = remember(db, world.ann, world.app, created_at=ago(db, "-100 years"))
        assert db.value("SELECT created_at = now() FROM user_memories WHERE id = %s", [dated])
        assert db.value(expires, [days, dated])
    with db.as_service():
        imported = remember(db, world.ann, world.app, created_at=ago(db, "20 days"))
        assert db.value("SELECT created_at FROM user_memories WHERE id = %s", [imported]) == ago(db, "20 days")
        assert db.value(expires, [days, imported])


@pytest.mark.rule("HUGO-30", "refuses")
def test_an_expiry_that_is_given_is_not_replaced(db: Person, world: World) -> None:
    soon = ago(db, "-3 days")
    with db.as_user(world.ann):
        memory = remember(db, world.ann, world.app, expires_at=soon)
        db.run("UPDATE user_memories SET content = 'Likes long walks'")
        assert db.value("SELECT expires_at FROM user_memories WHERE id = %s", [memory]) == soon


# Decay


@pytest.mark.rule("HUGO-31", "accepts")
@pytest.mark.parametrize(
    ("columns", "left"),
    [
        ({"importance": 0.50, "relevance_decay_rate": 0.05}, "0.45"),
        ({"importance": 1.00, "relevance_decay_rate": 1.00}, "0.00"),
        ({"importance": 0.03, "relevance_decay_rate": 0.05}, "0.00"),
        ({"importance": 0.05, "relevance_decay_rate": 0.05}, "0.00"),
        ({"importance": 0.00, "relevance_decay_rate": 0.05}, "0.00"),
        ({"importance": 0.50, "relevance_decay_rate": 0.00}, "0.50"),
    ],
)
@pytest.mark.parametrize("accessed", [True, False])
def test_what_was_not_accessed_fades_and_never_below_0(
    db: Person, world: World, columns: dict[str, float], left: str, accessed: bool
) -> None:
    times = {"created_at": ago(db, "40 days"), "last_accessed_at": ago(db, "31 days") if accessed else None}
    with db.as_service():
        memory = remember(db, world.ann, world.app, **columns, **times)
        db.run("SELECT decay_memory_importance()")
    assert importance(db, memory) == left


@pytest.mark.rule("HUGO-31", "refuses")
@pytest.mark.parametrize(
    ("created", "accessed", "left"),
    [
        ("30 days", None, "0.50"),
        (f"30 days {JUST_MORE}", None, "0.45"),
        ("400 days", "30 days", "0.50"),
        ("400 days", f"30 days {JUST_MORE}", "0.45"),
        ("400 days", "0 days", "0.50"),
    ],
)
def test_what_was_accessed_within_30_days_does_not_fade(
    db: Person, world: World, created: str, accessed: str | None, left: str
) -> None:
    memory = remember(
        db,
        world.ann,
        world.app,
        created_at=ago(db, created),
        last_accessed_at=accessed and ago(db, accessed),
        expires_at=ago(db, "-1 day"),
    )
    with db.as_service():
        db.run("SELECT decay_memory_importance()")
    assert importance(db, memory) == left


# The end


@pytest.mark.rule("HUGO-32", "accepts")
@pytest.mark.rule("HUGO-32", "refuses")
@pytest.mark.parametrize(
    ("columns", "stays"),
    [
        ({"expires_at": "0 days"}, True),
        ({"expires_at": JUST_MORE}, False),
        ({"expires_at": "-1 day"}, True),
        # However late it says it expires, the user's retention (100 days) is the limit.
        ({"created_at": "100 days", "expires_at": "-900 days"}, True),
        ({"created_at": f"100 days {JUST_MORE}", "expires_at": "-900 days"}, False),
    ],
)
def test_what_is_past_its_expiry_or_the_retention_is_deleted(
    db: Person, world: World, columns: dict[str, str], stays: bool
) -> None:
    db.run("UPDATE users SET data_retention_days = 100 WHERE id = %s", [world.ann])
    with db.as_service():
        memory = remember(db, world.ann, world.app, **{name: ago(db, interval) for name, interval in columns.items()})
        db.run("SELECT expire_user_memories()")
    assert exists(db, memory) is stays


@pytest.mark.rule("HUGO-32", "accepts")
def test_a_retention_shortened_later_counts_and_only_for_that_user(db: Person, world: World) -> None:
    old, young, others = (
        remember(db, user, world.app, created_at=ago(db, age))
        for user, age in ((world.ann, "31 days"), (world.ann, "29 days"), (world.bob, "31 days"))
    )
    with db.as_user(world.ann):
        db.run("UPDATE users SET data_retention_days = 30")
    with db.as_service():
        db.run("SELECT expire_user_memories()")
    assert [exists(db, memory) for memory in (old, young, others)] == [False, True, True]


@pytest.mark.rule("HUGO-32", "refuses")
def test_a_memory_without_expiry_still_ends_with_the_retention(db: Person, world: World) -> None:
    memory = remember(db, world.ann, world.app, created_at=ago(db, "366 days"))
    with db.as_user(world.ann):
        assert db.run("UPDATE user_memories SET expires_at = NULL, created_at = now()") == 1
    with db.as_service():
        db.run("SELECT expire_user_memories()")
    assert not exists(db, memory)


@pytest.mark.rule("HUGO-31", "refuses")
@pytest.mark.rule("HUGO-32", "refuses")
@pytest.mark.parametrize("job", ["decay_memory_importance", "expire_user_memories"])
def test_users_do_not_run_the_jobs(db: Person, world: World, job: str) -> None:
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run(f"SELECT {job}()")
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(f"SELECT {job}()")


# Whose they are


@pytest.mark.rule("HUGO-33", "accepts")
def test_a_user_keeps_progress_and_memories(db: Person, world: World) -> None:
    conversation = begin(db, world.ann, world.app)
    oriva = db.value("SELECT oriva_user_id FROM users WHERE id = %s", [world.ann])
    with db.as_user(oriva):
        insert(db, "user_progress", user_id=world.ann, app_id=world.app)
        remember(db, world.ann, world.app, conversation_id=conversation)
        for table in ("user_progress", "user_memories"):
            assert db.run(f"UPDATE {table} SET app_id = app_id") == 1
            assert db.value(f"SELECT user_id FROM {table}") == world.ann
            assert db.run(f"DELETE FROM {table}") == 1


@pytest.mark.rule("HUGO-33", "refuses")
@pytest.mark.parametrize("table", ["user_progress", "user_memories"])
def test_nobody_else_sees_or_writes_them(db: Person, world: World, table: str) -> None:
    own = {"user_progress": {}, "user_memories": {"memory_type": "insight", "content": "Secret"}}[table]
    row = insert(db, table, user_id=world.bob, app_id=world.app, **own)
    for token in (world.ann, uuid4()):
        with db.as_user(token):
            assert db.rows(f"SELECT id FROM {table}") == []
            assert db.run(f"UPDATE {table} SET app_id = app_id") == 0
            assert db.run(f"DELETE FROM {table} WHERE id = %s", [row]) == 0
            # Without RETURNING, which would be refused for what it shows.
            with db.refused(sqlstate="42501"):
                db.run(
                    f"INSERT INTO {table} ({', '.join(['user_id', 'app_id', *own])})"
                    f" VALUES ({', '.join(['%s'] * (2 + len(own)))})",
                    [world.bob, world.app, *own.values()],
                )
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(f"SELECT id FROM {table}")
    assert db.value(f"SELECT count(*) FROM {table}") == 1


@pytest.mark.rule("HUGO-33", "refuses")
@pytest.mark.parametrize(
    ("table", "rule"), [("user_progress", "up_immutable_check"), ("user_memories", "um_immutable_check")]
)
def test_they_cannot_be_given_away(db: Person, world: World, table: str, rule: str) -> None:
    own = {"user_progress": {}, "user_memories": {"memory_type": "insight", "content": "Secret"}}[table]
    insert(db, table, user_id=world.ann, app_id=world.app, **own)
    with db.as_user(world.ann):
        for column in ("id", "user_id"):
            with db.refused(rule):
                db.run(f"UPDATE {table} SET {column} = %s", [world.bob])


@pytest.mark.rule("HUGO-33", "refuses")
def test_anothers_conversation_looks_like_none_at_all(db: Person, world: World) -> None:
    others = begin(db, world.bob, world.app)
    own = begin(db, world.ann, world.app)
    say(db, others)
    messages = []
    with db.as_user(world.ann):
        memory = remember(db, world.ann, world.app, conversation_id=own)
        for conversation in (others, uuid4()):
            with db.refused("user_memories_conversation_id_fkey", "23503") as caught:
                remember(db, world.ann, world.app, conversation_id=conversation)
            messages.append(str(caught.value).replace(str(conversation), "…"))
            with db.refused("user_memories_conversation_id_fkey", "23503"):
                db.run("UPDATE user_memories SET conversation_id = %s WHERE id = %s", [conversation, memory])
    assert messages[0] == messages[1]
    with db.as_service(), db.refused("user_memories_conversation_id_fkey"):
        remember(db, world.ann, world.app, conversation_id=others)
