"""What owners learn about their characters: a row for each day, and the statistics of all days."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.chatvrm.world import User, World, build_world, create, past_talk, say, sign_up, talk
from tests.people import Person, blocked, insert

DAY = date(2025, 3, 10)
ROLL_UP = "SELECT roll_up_character_analytics(%s)"
BACKFILL = "SELECT backfill_character_analytics()"
REFRESH = "SELECT refresh_character_stats()"
COLUMNS = (
    "conversation_count, message_count, unique_users, avg_conversation_duration, avg_user_rating, popular_topics,"
    " emotion_distribution"
)
ZONES = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"]


def at(clock: str, day: date = DAY) -> datetime:
    """Return a time of a day of UTC."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00")


def chat(
    db: Person,
    character: UUID,
    user: User | None,
    began: datetime,
    minutes: float | None = None,
    said: list[dict[str, Any]] | None = None,
    **columns: Any,
) -> UUID:
    """Insert, as the owner, a conversation with messages, over after some minutes if stated, and return its id."""
    conversation = talk(db, character, user, started_at=began, **columns)
    for message in said or []:
        say(db, conversation, **{"created_at": began, **message})
    if minutes is not None:
        db.run(
            "UPDATE conversations SET status = 'ended', ended_at = %s WHERE id = %s",
            [began + timedelta(minutes=minutes), conversation],
        )
    return conversation


def topics(*names: Any) -> str:
    return json.dumps({"topics": names})


def rows(db: Person, columns: str = f"character_id, date, {COLUMNS}") -> list[Any]:
    return db.rows(f"SELECT {columns} FROM character_analytics ORDER BY date, character_id")


def busy_day(db: Person, world: World) -> None:
    """Let much happen to Ann's character on one day, and something before and after it."""
    third = sign_up(db, "carl")
    chat(
        db,
        world.ann.character,
        world.bob,
        at("10:00"),
        10,
        [
            {"emotion": "happy", "metadata": topics("tea", "rain")},
            {"emotion": "happy", "metadata": topics("tea")},
            {"emotion": "sad", "role": "assistant"},
        ],
        user_rating=4,
    )
    chat(db, world.ann.character, world.bob, at("11:00"), 30, [{"metadata": topics("rain", "tea")}], user_rating=1.5)
    chat(db, world.ann.character, third, at("12:00"), user_rating=5)
    chat(db, world.ann.character, None, at("23:59:59"), 20, [{"created_at": at("00:00:00", DAY + timedelta(1))}])
    chat(db, world.ann.character, None, at("23:59:59", DAY - timedelta(1)), 1, [{"created_at": at("00:00:00")}])


BUSY = (
    4,
    5,
    2,
    1200.0,
    3.5,
    [{"topic": "tea", "count": 3}, {"topic": "rain", "count": 2}],
    {"happy": 2, "sad": 1},
)


# A day


@pytest.mark.rule("VRM-21", "accepts")
@pytest.mark.parametrize("zone", ZONES)
def test_every_column_of_a_day_is_computed(db: Person, world: World, zone: str) -> None:
    busy_day(db, world)
    chat(db, world.bob.character, world.bob, at("12:00"), said=[{"emotion": "calm"}])
    db.run("SELECT set_config('TimeZone', %s, TRUE)", [zone])
    with db.as_service():
        assert db.value(ROLL_UP, [DAY]) == 2
    found = {row[0]: tuple(row[1:]) for row in rows(db)}
    assert found == {
        world.ann.character: (DAY, *BUSY),
        world.bob.character: (DAY, 1, 1, 1, None, None, [], {"calm": 1}),
    }


@pytest.mark.rule("VRM-21", "accepts")
def test_messages_count_on_their_own_day(db: Person, world: World) -> None:
    busy_day(db, world)
    for day in (DAY - timedelta(1), DAY + timedelta(1), DAY + timedelta(2)):
        db.run(ROLL_UP, [day])
    assert rows(db) == [
        (world.ann.character, DAY - timedelta(1), 1, 0, 0, 60.0, None, [], {}),
        (world.ann.character, DAY + timedelta(1), 0, 1, 0, None, None, [], {}),
    ]


@pytest.mark.rule("VRM-21", "accepts")
@pytest.mark.parametrize("zone", ZONES)
def test_without_a_day_it_is_yesterday_of_utc(db: Person, world: World, zone: str) -> None:
    today = db.value("SELECT (now() AT TIME ZONE 'UTC')::date")
    for ago in range(3):
        chat(db, world.ann.character, world.bob, at("00:00:00", today - timedelta(ago)))
    db.run("SELECT set_config('TimeZone', %s, TRUE)", [zone])
    with db.as_service():
        assert db.value("SELECT roll_up_character_analytics()") == 1
    assert [row.date for row in rows(db)] == [today - timedelta(1)]


@pytest.mark.rule("VRM-21", "accepts")
def test_the_ten_most_frequent_topics_are_kept_most_frequent_first(db: Person, world: World) -> None:
    names = ["b", "a", "C", *"defghijkl"]
    said = [{"metadata": topics(name)} for place, name in enumerate(names) for _ in range(2 if place < 4 else 1)]
    said += [{"metadata": metadata} for metadata in ("{}", '{"topics": "x"}', '{"topics": {"x": 1}}', '["x"]', "1")]
    said += [{"metadata": topics(None)}, {"metadata": topics()}, {"metadata": '{"topics": null}'}]
    chat(db, world.ann.character, world.bob, at("10:00"), said=said)
    db.run(ROLL_UP, [DAY])
    (found,) = rows(db)
    assert [(topic["topic"], topic["count"]) for topic in found.popular_topics] == [
        *(("C", 2), ("a", 2), ("b", 2), ("d", 2)),
        *((name, 1) for name in "efghij"),
    ]
    assert found.message_count == len(said)


@pytest.mark.rule("VRM-21", "accepts")
@pytest.mark.parametrize("archived", [1, 2, 5])
def test_archived_conversations_count_like_live_ones(db: Person, world: World, archived: int) -> None:
    busy_day(db, world)
    chat(db, world.ann.character, world.bob, at("09:00", DAY - timedelta(archived)), 1)
    db.run(BACKFILL)
    before = rows(db, "*")
    with db.as_service():
        assert db.value("SELECT archive_old_conversations(now() - %s)", [at("10:20")]) > 0
        assert db.value(BACKFILL) == 0
        assert rows(db, "*") == before
        assert db.value("SELECT archive_old_conversations('0')") > 0
        assert db.value(BACKFILL) == 0
    assert rows(db, "*") == before


@pytest.mark.rule("VRM-21", "accepts")
def test_again_it_gives_the_same_and_touches_nothing(db: Person, world: World) -> None:
    busy_day(db, world)
    rating = random.Random(21)
    for minute in range(40):
        stars = rating.uniform(1, 5)
        chat(db, world.ann.character, None, at(f"13:{minute:02d}"), rating.uniform(0, 9), user_rating=stars)
    with db.as_service():
        assert db.value(ROLL_UP, [DAY]) == 1
        before = rows(db, "ctid::text, xmin::text, *")
        for _ in range(2):
            assert db.value(ROLL_UP, [DAY]) == 0
        # Whatever order the rows are read in.
        db.run("UPDATE conversations SET feedback = 'Moved' WHERE extract(MINUTE FROM started_at)::integer % 3 = 0")
        assert db.value(ROLL_UP, [DAY]) == 0
        assert rows(db, "ctid::text, xmin::text, *") == before


@pytest.mark.rule("VRM-21", "accepts")
def test_what_is_wrong_is_corrected_and_what_is_gone_removed(db: Person, world: World) -> None:
    busy_day(db, world)
    gone = chat(db, world.bob.character, world.bob, at("12:00"))
    db.run(ROLL_UP, [DAY])
    ids = {row.character_id: row.id for row in rows(db, "*")}
    with db.as_service():
        for column, value in (
            ("conversation_count", 9),
            ("message_count", 9),
            ("unique_users", 9),
            ("avg_conversation_duration", None),
            ("avg_user_rating", 1.25),
            ("popular_topics", "[1]"),
            ("emotion_distribution", '{"x": 1}'),
        ):
            db.run(f"UPDATE character_analytics SET {column} = %s WHERE user_id = %s", [value, world.ann.id])
            assert db.value(ROLL_UP, [DAY]) == 1
        db.run("DELETE FROM conversations WHERE id = %s", [gone])
        # Days that are not asked for stay as they are.
        insert(db, "character_analytics", character_id=world.bob.character, user_id=world.bob.id, date="2025-03-11")
        insert(db, "character_analytics", character_id=world.bob.character, user_id=world.bob.id, date="2025-03-09")
        assert db.value(ROLL_UP, [DAY]) == 0
    assert [row.date.day for row in rows(db) if row.character_id == world.bob.character] == [9, 11]
    (kept,) = (row for row in rows(db, f"id, character_id, {COLUMNS}") if row.character_id == world.ann.character)
    assert kept == (ids[world.ann.character], world.ann.character, *BUSY)
    with db.as_service():
        assert db.value(BACKFILL) == 2
    assert {row.date: row.character_id for row in rows(db)} == {
        DAY + timedelta(days): world.ann.character for days in (-1, 0, 1)
    }


@pytest.mark.rule("VRM-21", "accepts")
def test_all_days_at_once_are_the_days_one_by_one(db: Person, world: World) -> None:
    chance = random.Random(2025)
    days = [DAY + timedelta(number) for number in range(12)]
    for _ in range(120):
        began = at("00:00", chance.choice(days[:10])) + timedelta(seconds=chance.randrange(86_400))
        said = [
            {
                "emotion": chance.choice([None, "happy", "sad"]),
                "metadata": topics(chance.choice("abc")),
                "created_at": began + timedelta(hours=chance.randrange(30)),
            }
            for _ in range(chance.randrange(3))
        ]
        chat(
            db,
            world.ann.character,
            chance.choice([world.ann, world.bob, None]),
            began,
            chance.choice([None, chance.uniform(0, 2_000)]),
            said,
            user_rating=chance.choice([None, chance.uniform(1, 5)]),
        )
    chat(db, world.bob.character, world.bob, at("12:00"))
    db.run("SELECT archive_old_conversations(now() - %s)", [at("00:00", days[5])])
    with db.as_service():
        assert db.value(BACKFILL) == 12
    at_once = rows(db)
    db.run("DELETE FROM character_analytics")
    for day in days:
        db.run(ROLL_UP, [day])
    assert rows(db) == at_once
    assert db.value(BACKFILL) == 0
    counted = db.row("SELECT sum(conversation_count) AS talks, sum(message_count) AS messages FROM character_analytics")
    assert counted == db.row(
        "SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM archived_conversations) AS talks,"
        " (SELECT count(*) FROM messages) + (SELECT count(*) FROM archived_messages) AS messages"
    )


@pytest.mark.rule("VRM-21", "accepts")
@pytest.mark.parametrize("archived", [False, True])
def test_all_days_reach_from_the_first_row_to_the_last(db: Person, world: World, archived: bool) -> None:
    chat(db, world.ann.character, world.bob, at("12:00"), 1, [{"created_at": at("12:00", DAY + timedelta(3))}])
    for day in (DAY - timedelta(9), DAY + timedelta(9)):
        insert(db, "character_analytics", character_id=world.ann.character, user_id=world.ann.id, date=day)
    if archived:
        assert db.value("SELECT archive_old_conversations()") == 1
    with db.as_service():
        assert db.value(BACKFILL) == 2
    assert [row.date for row in rows(db)] == [DAY, DAY + timedelta(3)]
    with db.as_service():
        db.run("DELETE FROM character_analytics")
        assert db.value(BACKFILL) == 2


@pytest.mark.rule("VRM-21", "accepts")
def test_where_nothing_happened_there_is_no_row(db: Person, world: World) -> None:
    with db.as_service():
        assert (db.value(BACKFILL), db.value(ROLL_UP, [DAY]), db.value(ROLL_UP, [None])) == (0, 0, 0)
        insert(db, "character_analytics", character_id=world.ann.character, user_id=world.ann.id, date=DAY)
        assert db.value(BACKFILL) == 0
    assert rows(db) == []


@pytest.mark.rule("VRM-21", "accepts")
def test_two_who_roll_up_one_day_make_it_once(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    talk(one, world.ann.character, world.bob, started_at=at("10:00"))
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        assert one.value(ROLL_UP, [DAY]) == 1
        with blocked(two, one, ROLL_UP, [DAY]) as outcome:
            one.run("COMMIT")
        assert outcome.result() == 1
    assert one.value("SELECT count(*) FROM character_analytics") == 1


@pytest.mark.rule("VRM-21", "refuses")
def test_a_character_has_one_row_a_day(db: Person, world: World) -> None:
    with db.as_service():
        row = {"character_id": world.ann.character, "user_id": world.ann.id, "date": DAY}
        insert(db, "character_analytics", **row)
        with db.refused("idx_analytics_character_date", "23505"):
            insert(db, "character_analytics", **row)
        with db.refused("character_analytics_character_id_fkey", "23503"):
            insert(db, "character_analytics", **{**row, "user_id": world.bob.id, "date": "2025-03-11"})
        for column in ("character_id", "user_id", "date", *COLUMNS.split(", ")):
            if column.startswith("avg"):
                continue
            with db.refused(sqlstate="23502") as caught:
                insert(db, "character_analytics", **{**row, "date": "2025-03-11", column: None})
            assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-21", "accepts")
@pytest.mark.parametrize("seconds", [None, 0, 0.5])
def test_a_conversation_may_be_over_at_once(db: Person, world: World, seconds: float | None) -> None:
    with db.as_service():
        insert(
            db,
            "character_analytics",
            character_id=world.ann.character,
            user_id=world.ann.id,
            date=DAY,
            avg_conversation_duration=seconds,
        )


@pytest.mark.rule("VRM-21", "refuses")
@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("conversation_count", [-1], "counts"),
        ("message_count", [-1], "counts"),
        ("unique_users", [-1], "counts"),
        ("avg_conversation_duration", [-0.5, "NaN", "Infinity"], "avg_conversation_duration"),
        ("avg_user_rating", [0.99, 5.01, "NaN"], "avg_user_rating"),
    ],
)
def test_what_cannot_be_is_refused(db: Person, world: World, column: str, values: list[Any], rule: str) -> None:
    for value in values:
        with db.as_service(), db.refused(f"character_analytics_{rule}_check", "23514"):
            insert(
                db,
                "character_analytics",
                **{"character_id": world.ann.character, "user_id": world.ann.id, "date": DAY, column: value},
            )


@pytest.mark.rule("VRM-21", "refuses")
def test_only_services_compute_and_owners_read_their_own(db: Person, world: World) -> None:
    busy_day(db, world)
    chat(db, world.bob.character, world.bob, at("12:00"))
    db.run(ROLL_UP, [DAY])
    calls = (
        "roll_up_character_analytics()",
        "backfill_character_analytics()",
        "store_character_analytics('2025-03-10', '2025-03-10')",
        "character_analytics_of('2025-03-10', '2025-03-10')",
    )
    for person in (db.as_user(world.ann.sub), db.as_anon()):
        with person:
            for call in calls:
                with db.refused(sqlstate="42501"):
                    db.run(f"SELECT {call}")
    for user in (world.ann, world.bob):
        with db.as_user(user.sub):
            assert [row.character_id for row in rows(db)] == [user.character]
            for sql in ("DELETE FROM character_analytics", "UPDATE character_analytics SET date = date"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    with db.as_anon(), db.refused(sqlstate="42501"):
        rows(db)


# All days


def stats(db: Person) -> dict[UUID, tuple[Any, ...]]:
    return {row.id: tuple(row[1:]) for row in db.rows("SELECT * FROM my_character_stats")}


@pytest.mark.rule("VRM-22", "accepts")
def test_statistics_count_live_and_archived_conversations(db: Person, world: World) -> None:
    silent = create(db, world.ann.id, name="Silent", slug="silent")
    past_talk(db, world.ann.character, world.bob)
    past_talk(db, world.ann.character, None)
    for rating in (4, 3.5):
        talk(db, world.ann.character, world.bob, user_rating=rating)
    db.run("UPDATE conversations SET user_rating = 1.5 WHERE status = 'ended' AND user_id IS NOT NULL")
    talk(db, world.ann.character, world.ann)
    talk(db, world.bob.character, world.bob)
    expected = {world.ann.character: ("Luna", 5, 2, 3.0), silent: ("Silent", 0, 0, None)}
    with db.as_service():
        db.run(REFRESH)
    with db.as_user(world.ann.sub):
        assert stats(db) == expected
    with db.as_service():
        assert db.value("SELECT archive_old_conversations()") == 2
        db.run(REFRESH)
    with db.as_user(world.ann.sub):
        assert stats(db) == expected
    with db.as_user(world.bob.sub):
        assert stats(db) == {world.bob.character: ("Luna", 1, 1, None)}


@pytest.mark.rule("VRM-22", "refuses")
def test_nobody_reads_the_statistics_of_others(db: Person, world: World) -> None:
    talk(db, world.ann.character, world.bob)
    db.run(REFRESH)
    db.run(
        "CREATE FUNCTION pg_temp.peek(uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
        " 'BEGIN RAISE NOTICE ''%'', $1; RETURN TRUE; END'"
    )
    # An index would look for the owner first.
    db.run("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
    seen: list[str | None] = []
    db.conn.add_notice_handler(lambda notice: seen.append(notice.message_primary))
    with db.as_user(world.ann.sub):
        db.run("SELECT pg_temp.peek(id) FROM my_character_stats WHERE pg_temp.peek(id)")
        assert set(seen) == {str(world.ann.character)}
    for person in (db.as_user(world.ann.sub), db.as_service(), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT id FROM character_stats")
    for person in (db.as_anon(), db.as_service()):
        with person, db.refused(sqlstate="42501"):
            db.run("SELECT id FROM my_character_stats")
    with db.as_user("auth0|nobody"):
        assert stats(db) == {}
    for person in (db.as_user(world.ann.sub), db.as_anon()):
        with person, db.refused(sqlstate="42501"):
            db.run(REFRESH)


@pytest.mark.rule("VRM-22", "accepts")
def test_statistics_are_read_while_they_are_refreshed(connect: Callable[[], Person]) -> None:
    reader, job = connect(), connect()
    world = build_world(reader)
    with reader.as_user(world.ann.sub), job.as_service():
        assert stats(reader) == {}
        reader.run("SET lock_timeout = '1s'")
        reader.run("BEGIN")
        assert stats(reader) == {}
        # Neither does the job wait for who has read, nor who reads for the job.
        job.run("SET lock_timeout = '1s'")
        job.run("BEGIN")
        job.run(REFRESH)
        assert stats(reader) == {}
        job.run("COMMIT")
        assert stats(reader) == {world.ann.character: ("Luna", 0, 0, None)}
        reader.run("COMMIT")


@pytest.mark.rule("VRM-22", "refuses")
def test_a_character_is_in_the_statistics_once(db: Person) -> None:
    unique = db.rows(
        "SELECT indisunique, pg_get_expr(indpred, indrelid) AS only FROM pg_index"
        " WHERE indexrelid = 'idx_character_stats_id'::regclass"
    )
    assert unique == [(True, None)]
    # Without it, it could not be refreshed while it is read.
    db.run("DROP INDEX idx_character_stats_id")
    with db.as_service(), db.refused(sqlstate="55000"):
        db.run(REFRESH)


@pytest.mark.rule("VRM-22", "accepts")
def test_a_deleted_character_leaves_the_statistics(db: Person, world: World) -> None:
    talk(db, world.ann.character, world.bob)
    db.run(REFRESH)
    db.run("UPDATE characters SET name = 'Stella' WHERE id = %s", [world.bob.character])
    db.run("DELETE FROM characters WHERE id = %s", [world.ann.character])
    db.run(REFRESH)
    with db.as_user(world.ann.sub):
        assert stats(db) == {}
    with db.as_user(world.bob.sub):
        assert stats(db) == {world.bob.character: ("Stella", 0, 0, None)}
