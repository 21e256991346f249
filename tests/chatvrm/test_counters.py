"""The counters of characters and conversations: some minutes late, and never wrong."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.chatvrm.world import World, build_world, create, say, talk
from tests.people import Person, at_once, blocked, insert

CHARACTERS = "SELECT refresh_character_counters()"
CONVERSATIONS = "SELECT refresh_message_counts()"
# Characters and conversations whose counters are not what counting says, archived conversations included.
WRONG = """
WITH talks AS (
    SELECT character_id, user_rating::numeric AS rating FROM conversations
    UNION ALL
    SELECT character_id, user_rating::numeric FROM archived_conversations
)

SELECT c.slug AS what
FROM characters AS c LEFT JOIN talks AS t ON t.character_id = c.id
GROUP BY c.id
HAVING (c.conversation_count, c.rating_count, c.rating_sum, c.average_rating)
    IS DISTINCT FROM (count(t), count(t.rating), coalesce(sum(t.rating), 0), avg(t.rating)::double precision)
UNION ALL
SELECT c.id::text
FROM conversations AS c LEFT JOIN messages AS m ON m.conversation_id = c.id
GROUP BY c.id
HAVING c.message_count <> count(m)
UNION ALL
SELECT c.id::text
FROM archived_conversations AS c LEFT JOIN archived_messages AS m ON m.conversation_id = c.id
GROUP BY c.id
HAVING c.message_count <> count(m)
"""


def counters(db: Person, character: UUID) -> Any:
    return db.row("SELECT conversation_count, average_rating FROM characters WHERE id = %s", [character])


def versions(db: Person, table: str) -> dict[UUID, str]:
    """Return what changes whenever a row is written."""
    return dict(db.rows(f"SELECT id, ctid::text || xmin::text FROM {table}"))


# Right


@pytest.mark.rule("VRM-10", "accepts")
def test_conversations_and_ratings_are_counted(db: Person, world: World) -> None:
    assert counters(db, world.ann.character) == (0, None)
    with db.as_user(world.bob.sub):
        conversations = [talk(db, world.ann.character, world.bob) for _ in range(3)]
        for rating, conversation in zip((4, 1.5), conversations, strict=False):
            db.run("UPDATE conversations SET user_rating = %s WHERE id = %s", [rating, conversation])
    with db.as_service():
        talk(db, world.ann.character, None, user_rating=5)
        assert counters(db, world.ann.character) == (0, None)
        assert db.value(CHARACTERS) == 1
        assert counters(db, world.ann.character) == (4, 3.5)
        db.run("DELETE FROM conversations WHERE user_rating IS NULL OR user_id IS NULL")
        db.run("UPDATE conversations SET user_rating = 2 WHERE user_rating = 4")
        assert db.value(CHARACTERS) == 1
        assert counters(db, world.ann.character) == (2, 1.75)
        db.run("UPDATE conversations SET user_rating = NULL")
        assert (db.value(CHARACTERS), db.value(CHARACTERS)) == (1, 0)
    assert counters(db, world.ann.character) == (2, None)
    assert counters(db, world.bob.character) == (0, None)


@pytest.mark.rule("VRM-14", "accepts")
def test_messages_are_counted(db: Person, world: World) -> None:
    one, two = (talk(db, world.ann.character, world.bob) for _ in range(2))
    count = "SELECT message_count FROM conversations WHERE id = %s"
    with db.as_user(world.bob.sub):
        for _ in range(3):
            say(db, one)
    with db.as_service():
        assert db.value(count, [one]) == 0
        assert db.value(CONVERSATIONS) == 1
        assert (db.value(count, [one]), db.value(count, [two])) == (3, 0)
        db.run(
            "INSERT INTO messages (conversation_id, role, content) SELECT c, 'user', 'Hello' FROM unnest(%s) AS c",
            [[one, two, two]],
        )
        db.run("DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE conversation_id = %s LIMIT 3)", [one])
        assert (db.value(CONVERSATIONS), db.value(CONVERSATIONS)) == (2, 0)
    assert (db.value(count, [one]), db.value(count, [two])) == (1, 2)


@pytest.mark.rule("VRM-10", "accepts")
def test_ratings_add_up_exactly(db: Person, world: World) -> None:
    for _ in range(3):
        talk(db, world.ann.character, world.bob, user_rating=1.1)
    with db.as_service():
        assert db.value(CHARACTERS) == 1
        assert counters(db, world.ann.character) == (3, 1.1)
        db.run("DELETE FROM conversations")
        assert db.value(CHARACTERS) == 1
    assert db.row("SELECT rating_count, rating_sum, average_rating FROM characters WHERE slug = 'ann'") == (0, 0, None)


@pytest.mark.rule("VRM-10", "accepts")
@pytest.mark.rule("VRM-14", "accepts")
def test_after_ten_thousand_operations_they_are_what_counting_says(connect: Callable[[], Person]) -> None:
    db = connect()
    world = build_world(db)
    chance = random.Random(10)
    users = [world.ann.id, world.bob.id]
    characters = [world.ann.character]
    for number in range(12):
        users.append(insert(db, "users", email=f"{number}@example.org", auth0_id=f"auth0|{number}"))
        characters.append(create(db, users[-1], slug=f"c{number}", status="published"))

    def some(table: str, only: str = "TRUE") -> list[UUID]:
        """Choose a hundred rows at most, the same ones whenever this test runs."""
        rows = db.rows(f"SELECT id FROM {table} WHERE {only} ORDER BY md5(id::text || %s) LIMIT 100", [number])
        return [row.id for row in rows]

    def ids(count: int) -> list[UUID]:
        return [UUID(int=chance.getrandbits(128)) for _ in range(count)]

    def begin() -> int:
        return db.run(
            "INSERT INTO conversations (id, character_id, user_id, session_id, user_rating) SELECT * FROM"
            " unnest(%s::uuid[], %s::uuid[], %s::uuid[], array_fill('visitor'::text, ARRAY[100]), %s::float[])",
            [
                ids(100),
                [chance.choice(characters) for _ in range(100)],
                [chance.choice([None, *users]) for _ in range(100)],
                [chance.choice([None, round(chance.uniform(1, 5), 3)]) for _ in range(100)],
            ],
        )

    def speak() -> int:
        active = some("conversations", "status = 'active'")
        return db.run(
            "INSERT INTO messages (id, conversation_id, role, content)"
            " SELECT m, c, 'user', 'Hello' FROM unnest(%s::uuid[], %s::uuid[]) AS x (m, c) WHERE c IS NOT NULL",
            [ids(150), [chance.choice(active) for _ in range(150)] if active else []],
        )

    def rate() -> int:
        return db.run(
            "UPDATE conversations SET user_rating = %s WHERE id = ANY (%s)",
            [chance.choice([None, round(chance.uniform(1, 5), 3)]), some("conversations")],
        )

    def end() -> int:
        return db.run(
            "UPDATE conversations SET status = 'ended' WHERE id = ANY (%s)",
            [some("conversations", "status = 'active'")],
        )

    def forget() -> int:
        return db.run("DELETE FROM conversations WHERE id = ANY (%s)", [some("conversations")[:40]])

    def unsay() -> int:
        return db.run("DELETE FROM messages WHERE id = ANY (%s)", [some("messages")])

    def clear_archive() -> int:
        return db.run("DELETE FROM archived_conversations WHERE id = ANY (%s)", [some("archived_conversations")[:20]])

    def archive() -> int:
        return db.value("SELECT archive_old_conversations('0')")

    def leave() -> int:
        """Delete a user, or a character, as long as there are many."""
        if len(users) < 7 or chance.random() < 0.5:
            return 0
        if chance.random() < 0.5:
            return db.run("DELETE FROM characters WHERE id = %s", [characters.pop()])
        gone = users.pop()
        db.run("DELETE FROM users WHERE id = %s", [gone])
        left = {row.id for row in db.rows("SELECT id FROM characters")}
        characters[:] = [character for character in characters if character in left]
        return 1

    def refresh() -> int:
        db.run(CHARACTERS)
        db.run(CONVERSATIONS)
        assert db.rows(WRONG) == []
        return 0

    doings = [begin, begin, speak, speak, speak, rate, rate, end, forget, unsay, clear_archive, archive, leave, refresh]
    done, number = 0, 0
    while done < 10_000:
        done += chance.choice(doings)()
        number += 1
    assert db.value("SELECT count(*) FROM archived_conversations") > 0
    assert db.value("SELECT count(*) FROM archived_messages") > 0
    refresh()
    assert db.value("SELECT (SELECT count(*) FROM conversation_changes) + (SELECT count(*) FROM message_changes)") == 0
    assert db.value("SELECT count(*) FROM characters WHERE conversation_count > 0 AND average_rating IS NOT NULL") > 1


@pytest.mark.rule("VRM-10", "accepts")
def test_archiving_changes_no_counter(db: Person, world: World) -> None:
    with db.as_service():
        for rating in (None, 2, 4):
            talk(db, world.ann.character, None, status="ended", ended_at="2020-01-02", started_at="2020-01-01")
            db.run("UPDATE conversations SET user_rating = %s WHERE user_rating IS NULL", [rating])
        db.run(CHARACTERS)
        before = counters(db, world.ann.character)
        assert before.conversation_count == 3
        assert db.value("SELECT archive_old_conversations()") == 3
        db.run(CHARACTERS)
        assert counters(db, world.ann.character) == before
        # What is done in the archive counts as well.
        db.run("UPDATE archived_conversations SET user_rating = 5")
        db.run(CHARACTERS)
        assert counters(db, world.ann.character) == (3, 5.0)
        db.run("DELETE FROM archived_conversations WHERE id = (SELECT max(id::text)::uuid FROM archived_conversations)")
        db.run(CHARACTERS)
        assert counters(db, world.ann.character) == (2, 5.0)
    assert db.rows(WRONG) == []


# Cheap, and in nobody's way


@pytest.mark.rule("VRM-10", "accepts")
@pytest.mark.rule("VRM-14", "accepts")
def test_only_rows_with_new_activity_are_touched(db: Person, world: World) -> None:
    quiet, lively = (talk(db, world.bob.character, world.bob) for _ in range(2))
    for conversation in (quiet, lively):
        say(db, conversation)
    db.run(CHARACTERS)
    db.run(CONVERSATIONS)
    talk(db, world.ann.character, world.bob)
    say(db, lively)
    # What is not counted is no activity.
    db.run("UPDATE conversations SET feedback = 'Good', session_id = 'other' WHERE id = %s", [quiet])
    db.run("UPDATE messages SET content = 'Corrected' WHERE conversation_id = %s", [quiet])
    moved = db.value("SELECT updated_at FROM characters WHERE id = %s", [world.ann.character])
    before = versions(db, "characters") | versions(db, "conversations")
    assert (db.value(CHARACTERS), db.value(CONVERSATIONS)) == (1, 1)
    after = versions(db, "characters") | versions(db, "conversations")
    assert {row for row in before if before[row] != after[row]} == {world.ann.character, lively}
    assert db.value("SELECT updated_at FROM characters WHERE id = %s", [world.ann.character]) == moved
    assert (db.value(CHARACTERS), db.value(CONVERSATIONS)) == (0, 0)
    assert versions(db, "characters") | versions(db, "conversations") == after


@pytest.mark.rule("VRM-10", "accepts")
@pytest.mark.rule("VRM-14", "accepts")
@pytest.mark.parametrize(
    ("refresh", "table", "count"),
    [(CHARACTERS, "characters", "conversation_count"), (CONVERSATIONS, "conversations", "message_count")],
)
def test_who_is_locked_waits_for_the_next_time(
    connect: Callable[[], Person], refresh: str, table: str, count: str
) -> None:
    other, job = connect(), connect()
    world = build_world(other)
    rows = []
    for character in (world.ann.character, world.bob.character):
        conversation = talk(other, character, world.bob)
        say(other, conversation)
        rows.append(character if table == "characters" else conversation)
    counted = f"SELECT {count} FROM {table} WHERE id = %s"
    other.run("BEGIN")
    other.run(f"SELECT FROM {table} WHERE id = %s FOR UPDATE", [rows[0]])
    with job.as_service():
        job.run("SET lock_timeout = '1s'")
        assert (job.value(refresh), job.value(refresh)) == (1, 0)
        assert [job.value(counted, [row]) for row in rows] == [0, 1]
        other.run("COMMIT")
        assert job.value(refresh) == 1
        assert [job.value(counted, [row]) for row in rows] == [1, 1]


@pytest.mark.rule("VRM-10", "accepts")
def test_those_who_begin_a_talk_with_one_character_do_not_wait(connect: Callable[[], Person]) -> None:
    one, two, job = connect(), connect(), connect()
    world = build_world(one)
    for person in (two, job):
        person.run("SET lock_timeout = '1s'")
    one.run("BEGIN")
    talk(one, world.ann.character, world.bob)
    talk(two, world.ann.character, None)
    # Neither does the job, which counts what is there.
    assert job.value(CHARACTERS) == 1
    assert counters(job, world.ann.character) == (1, None)
    one.run("COMMIT")
    assert job.value(CHARACTERS) == 1
    assert counters(job, world.ann.character) == (2, None)


@pytest.mark.rule("VRM-10", "accepts")
@pytest.mark.rule("VRM-14", "accepts")
@pytest.mark.parametrize("refresh", [CHARACTERS, CONVERSATIONS])
def test_several_jobs_at_once_add_everything_once(connect: Callable[[], Person], refresh: str) -> None:
    owner = connect()
    world = build_world(owner)
    for _ in range(50):
        say(owner, talk(owner, world.ann.character, world.bob, user_rating=3))
    at_once([connect() for _ in range(8)], refresh)
    for job in (CHARACTERS, CONVERSATIONS):
        owner.run(job)
    assert owner.rows(WRONG) == []
    assert counters(owner, world.ann.character) == (50, 3.0)


@pytest.mark.rule("VRM-14", "accepts")
def test_a_job_that_is_rolled_back_has_lost_nothing(connect: Callable[[], Person]) -> None:
    one, two = connect(), connect()
    world = build_world(one)
    say(one, talk(one, world.ann.character, world.bob))
    one.run("BEGIN")
    assert (one.value(CHARACTERS), one.value(CONVERSATIONS)) == (1, 1)
    assert (two.value(CHARACTERS), two.value(CONVERSATIONS)) == (0, 0)
    with blocked(two, one, "UPDATE conversations SET user_rating = 5"):
        one.run("ROLLBACK")
    assert (two.value(CHARACTERS), two.value(CONVERSATIONS)) == (1, 1)
    assert two.rows(WRONG) == []
    assert counters(two, world.ann.character) == (1, 5.0)


@pytest.mark.rule("VRM-10", "accepts")
def test_an_account_goes_with_everything_that_was_to_be_counted(db: Person, world: World) -> None:
    for character in (world.ann.character, world.bob.character):
        say(db, talk(db, character, world.bob, user_rating=4))
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.bob.id]) == 1
        assert (db.value(CHARACTERS), db.value(CONVERSATIONS)) == (1, 1)
    assert db.value("SELECT (SELECT count(*) FROM conversation_changes) + (SELECT count(*) FROM message_changes)") == 0
    assert db.rows(WRONG) == []


# Nobody else's


@pytest.mark.rule("VRM-10", "refuses")
def test_nobody_else_sets_the_counters_of_a_character(db: Person, world: World) -> None:
    talk(db, world.ann.character, world.bob, user_rating=2)
    db.run(CHARACTERS)
    kept = "SELECT conversation_count, average_rating, rating_count, rating_sum FROM characters WHERE id = %s"
    sent = "conversation_count = 99, average_rating = 5, rating_count = 99, rating_sum = 495"
    for person in (db.as_user(world.ann.sub), db.as_service()):
        with person:
            assert db.run(f"UPDATE characters SET {sent} WHERE id = %s", [world.ann.character]) == 1
            assert db.row(kept, [world.ann.character]) == (1, 2.0, 1, 2)
            new = create(
                db, world.ann.id, conversation_count=9, average_rating=5, rating_count=9, rating_sum=45, slug="new"
            )
            assert db.row(kept, [new]) == (0, None, 0, 0)
        db.run("DELETE FROM characters WHERE id = %s", [new])


@pytest.mark.rule("VRM-10", "refuses")
@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("conversation_count", [-1], "check_conversation_count"),
        ("average_rating", [0, 0.999, 5.001, "NaN"], "characters_average_rating_check"),
    ],
)
def test_a_counter_that_cannot_be_is_refused(
    db: Person, world: World, column: str, values: list[Any], rule: str
) -> None:
    for value in values:
        with db.refused(rule, "23514"):
            db.run(f"UPDATE characters SET {column} = %s", [value])
    for column in ("conversation_count", "rating_count", "rating_sum"):
        with db.refused(sqlstate="23502"):
            db.run(f"UPDATE characters SET {column} = NULL")


@pytest.mark.rule("VRM-10", "refuses")
@pytest.mark.rule("VRM-14", "refuses")
def test_only_services_run_the_jobs_and_nobody_writes_what_they_add(db: Person, world: World) -> None:
    say(db, talk(db, world.ann.character, world.bob))
    changes = ("conversation_changes", "message_changes")
    for person in (db.as_user(world.ann.sub), db.as_anon()):
        with person:
            for sql in (CHARACTERS, CONVERSATIONS, *(f"SELECT id FROM {table}" for table in changes)):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    with db.as_service():
        for table in changes:
            assert db.value(f"SELECT count(*) FROM {table}") == 1
            for sql in ("DELETE FROM {}", "UPDATE {} SET id = DEFAULT", "INSERT INTO {} DEFAULT VALUES"):
                with db.refused(sqlstate="42501"):
                    db.run(sql.format(table))
