"""Conversations that ended long ago move to the archive, and old audio to cold storage."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, build_world, past_talk, say, talk
from tests.people import Person, blocked, insert, kill

ARCHIVE = "SELECT archive_old_conversations()"
TABLES = ("conversations", "messages")
# What archiving changes on purpose, and what only one of the tables has.
CHANGED = "'{status, message_count, archived_at}'::text[]"


def content(db: Person, prefix: str = "") -> list[list[Any]]:
    """Return conversations and messages, the live ones or the archived ones, each in the order of their ids."""
    return [
        [
            row.content
            for row in db.rows(f"SELECT to_jsonb(t) - {CHANGED} AS content FROM {prefix}{table} AS t ORDER BY id")
        ]
        for table in TABLES
    ]


def whereabouts(db: Person, conversation: UUID) -> set[str]:
    """Return the tables that a conversation, or a message of it, is in."""
    rows = db.rows(
        "SELECT 'live' AS place FROM conversations WHERE id = %(id)s"
        " UNION ALL SELECT 'live' FROM messages WHERE conversation_id = %(id)s"
        " UNION ALL SELECT 'archived' FROM archived_conversations WHERE id = %(id)s"
        " UNION ALL SELECT 'archived' FROM archived_messages WHERE conversation_id = %(id)s",
        {"id": conversation},
    )
    return {row.place for row in rows}


# What moves


@pytest.mark.rule("VRM-16", "accepts")
def test_what_ended_long_ago_moves_and_nothing_is_lost(db: Person, world: World) -> None:
    with db.as_service():
        file = insert(db, "audio_files", storage_url="s3://hot/1.ogg", format="ogg")
    old = past_talk(db, world.ann.character, world.bob, messages=3)
    visitors = past_talk(db, world.ann.character, None, "10 years", messages=0)
    db.run("UPDATE conversations SET user_rating = 4.5, feedback = 'Good' WHERE id = %s", [old])
    db.run(
        "UPDATE messages SET emotion = 'happy', metadata = '{\"topics\": [\"tea\"]}', token_count = 3,"
        " audio_file_id = %s WHERE conversation_id = %s",
        [file, old],
    )
    before = content(db)
    with db.as_service():
        assert db.value(ARCHIVE) == 2
    assert content(db) == [[], []]
    assert content(db, "archived_") == before
    assert dict(db.rows("SELECT id, message_count FROM archived_conversations")) == {old: 3, visitors: 0}
    assert db.rows("SELECT DISTINCT status, archived_at = now() FROM archived_conversations") == [("archived", True)]
    with db.as_service():
        assert db.value(ARCHIVE) == 0
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM archived_conversations") == [(old,)]
        assert db.value("SELECT count(*) FROM archived_messages") == 3
        assert db.rows("SELECT id FROM audio_files") == [(file,)]


@pytest.mark.rule("VRM-16", "refuses")
def test_what_ended_lately_or_has_not_ended_stays(db: Person, world: World) -> None:
    began = db.value("SELECT now() - interval '10 years'")
    conversations = [
        past_talk(db, world.ann.character, world.bob, "5 months 27 days"),
        talk(db, world.ann.character, world.bob, started_at=began),
        talk(db, world.ann.character, world.bob, started_at=began, status="archived"),
    ]
    with db.as_service():
        assert db.value(ARCHIVE) == 0
    assert [whereabouts(db, conversation) for conversation in conversations] == [{"live"}] * 3


@pytest.mark.rule("VRM-16", "accepts")
@pytest.mark.parametrize("status", ["ended", "archived"])
def test_the_age_can_be_stated(db: Person, world: World, status: str) -> None:
    older, younger = (past_talk(db, world.ann.character, world.bob, ago) for ago in ("20 days", "2 hours"))
    db.run("UPDATE conversations SET status = %s", [status])
    with db.as_service():
        for age, archived in (("1 year", 0), ("10 days", 1), ("0", 1), ("0", 0)):
            assert db.value("SELECT archive_old_conversations(%s)", [age]) == archived
    assert [whereabouts(db, conversation) for conversation in (older, younger)] == [{"archived"}] * 2


@pytest.mark.rule("VRM-16", "refuses")
@pytest.mark.parametrize("age", [None, "-1 second", "1 month -31 days"])
def test_an_age_that_is_none_is_refused(db: Person, world: World, age: str | None) -> None:
    conversation = past_talk(db, world.ann.character, world.bob)
    with db.as_service(), db.refused(sqlstate="22023"):
        db.run("SELECT archive_old_conversations(%s)", [age])
    assert whereabouts(db, conversation) == {"live"}


@pytest.mark.rule("VRM-16", "accepts")
@pytest.mark.parametrize("refreshed", [0, 2])
def test_the_count_of_messages_is_exact_whatever_was_still_to_be_added(
    db: Person, world: World, refreshed: int
) -> None:
    conversation = talk(db, world.ann.character, world.bob, started_at="2020-01-01")
    for number in range(5):
        if number == refreshed:
            db.run("SELECT refresh_message_counts()")
        say(db, conversation, created_at="2020-01-02")
    db.run("DELETE FROM messages WHERE id = (SELECT max(id::text)::uuid FROM messages)")
    db.run("UPDATE conversations SET status = 'ended', ended_at = '2020-01-03'")
    with db.as_service():
        assert db.value(ARCHIVE) == 1
        db.run("SELECT refresh_message_counts()")
    assert db.rows("SELECT message_count FROM archived_conversations") == [(4,)]
    assert db.value("SELECT count(*) FROM message_changes") == 0


@pytest.mark.rule("VRM-16", "accepts")
def test_more_than_a_batch_moves(db: Person, world: World) -> None:
    with db.as_service():
        db.run(
            "INSERT INTO conversations (character_id, session_id, status, started_at, ended_at)"
            " SELECT %s, 'visitor', 'ended', '2020-01-01', '2020-01-02' FROM generate_series(1, 1001)",
            [world.ann.character],
        )
        assert db.value(ARCHIVE) == 1001
    assert db.value("SELECT count(*) FROM archived_conversations") == 1001


# Who may do what with it


@pytest.mark.rule("VRM-16", "refuses")
def test_only_services_archive_and_nobody_else_changes_the_archive(db: Person, world: World) -> None:
    archived, old = (past_talk(db, world.ann.character, world.bob, ago) for ago in ("1 year", "7 months"))
    db.run("SELECT archive_old_conversations('8 months')")
    for person in (db.as_user(world.bob.sub), db.as_anon()):
        with person:
            with db.refused(sqlstate="42501"):
                db.run(ARCHIVE)
            for table in TABLES:
                for sql in (
                    f"DELETE FROM archived_{table}",
                    f"UPDATE archived_{table} SET id = id",
                    f"INSERT INTO archived_{table} SELECT * FROM archived_{table}",
                ):
                    with db.refused(sqlstate="42501"):
                        db.run(sql)
    with db.as_anon():
        for table in TABLES:
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT FROM archived_{table}")
    # Not even whose character it was with.
    with db.as_user(world.ann.sub):
        assert db.rows("SELECT id FROM archived_conversations UNION ALL SELECT id FROM archived_messages") == []
    assert (whereabouts(db, archived), whereabouts(db, old)) == ({"archived"}, {"live"})


@pytest.mark.rule("VRM-16", "refuses")
def test_the_archive_holds_each_row_once_and_what_belongs_together(db: Person, world: World) -> None:
    past_talk(db, world.ann.character, world.bob)
    db.run(ARCHIVE)
    for table in TABLES:
        with db.refused(f"archived_{table}_pkey", "23505"):
            db.run(f"INSERT INTO archived_{table} SELECT * FROM archived_{table}")
    for sql, rule in (
        ("UPDATE archived_conversations SET character_id = gen_random_uuid()", "conversations_character_id_fkey"),
        ("UPDATE archived_conversations SET user_id = gen_random_uuid()", "conversations_user_id_fkey"),
        ("UPDATE archived_messages SET conversation_id = gen_random_uuid()", "messages_conversation_id_fkey"),
        ("UPDATE archived_messages SET audio_file_id = gen_random_uuid()", "messages_audio_file_id_fkey"),
    ):
        with db.refused(f"archived_{rule}", "23503"):
            db.run(sql)
    for table in TABLES:
        nullable = [
            {
                row.attname
                for row in db.rows(
                    "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attnotnull",
                    [name],
                )
            }
            for name in (table, f"archived_{table}")
        ]
        # What is archived is over.
        assert nullable[0] - nullable[1] == ({"ended_at"} if table == "conversations" else set())
        assert nullable[1] <= nullable[0]


@pytest.mark.rule("VRM-16", "accepts")
def test_the_archive_goes_with_its_character(db: Person, world: World) -> None:
    past_talk(db, world.ann.character, world.bob)
    stays = past_talk(db, world.bob.character, world.bob)
    own = past_talk(db, world.ann.character, world.ann)
    db.run(ARCHIVE)
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 1
    assert db.rows("SELECT id FROM archived_conversations") == [(stays,)]
    assert db.rows("SELECT DISTINCT conversation_id FROM archived_messages") == [(stays,)]
    assert whereabouts(db, own) == set()


@pytest.mark.rule("VRM-16", "accepts")
def test_an_archived_conversation_of_a_visitor_is_handed_to_the_user_they_were(db: Person, world: World) -> None:
    conversation = past_talk(db, world.ann.character, None)
    past_talk(db, world.ann.character, None)
    with db.as_service():
        file = insert(db, "audio_files", storage_url="s3://hot/1.ogg", format="ogg")
        db.run("UPDATE messages SET audio_file_id = %s WHERE conversation_id = %s", [file, conversation])
        assert db.value(ARCHIVE) == 2
        db.run("UPDATE archived_conversations SET user_id = %s WHERE id = %s", [world.bob.id, conversation])
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM archived_conversations") == [(conversation,)]
        assert db.rows("SELECT conversation_id FROM archived_messages") == [(conversation,)] * 2
        assert db.rows("SELECT id FROM audio_files") == [(file,)]


# The job meets others


@pytest.fixture
def meeting(connect: Callable[[], Person]) -> tuple[Person, Person, World, UUID]:
    """Somebody, the service that runs the job, and an old conversation of Bob's."""
    other, job = connect(), connect()
    world = build_world(other)
    conversation = past_talk(other, world.ann.character, world.bob)
    job.run("SET ROLE service_role")
    return other, job, world, conversation


Meeting = tuple[Person, Person, World, UUID]

# What a service may be doing with a conversation that is over.
DOINGS = {
    "rate": "UPDATE conversations SET user_rating = 5 WHERE id = %s",
    "correct": "UPDATE messages SET content = 'Corrected' WHERE conversation_id = %s",
    "forget": "DELETE FROM messages WHERE conversation_id = %s",
    "delete": "DELETE FROM conversations WHERE id = %s",
}


@pytest.mark.rule("VRM-16", "refuses")
@pytest.mark.parametrize("doing", DOINGS)
def test_the_job_gives_way_to_who_came_first(meeting: Meeting, doing: str) -> None:
    other, job, _, conversation = meeting
    before = content(other)
    with other.as_service():
        for end in ("ROLLBACK", "COMMIT"):
            other.run("BEGIN")
            assert other.run(DOINGS[doing], [conversation]) > 0
            assert job.value(ARCHIVE) == 0
            other.run(end)
            if end == "ROLLBACK":
                assert content(other) == before
    before = content(other)
    assert job.value(ARCHIVE) == (0 if doing == "delete" else 1)
    assert content(other, "archived_") == before
    counted = other.value("SELECT coalesce(sum(message_count), 0) FROM archived_conversations")
    assert counted == len(before[1])


@pytest.mark.rule("VRM-16", "accepts")
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
@pytest.mark.parametrize("doing", DOINGS)
def test_who_comes_second_waits_for_the_job(meeting: Meeting, doing: str, end: str) -> None:
    other, job, _, conversation = meeting
    before = content(other)
    job.run("BEGIN")
    assert job.value(ARCHIVE) == 1
    with other.as_service(), blocked(other, job, DOINGS[doing], [conversation]) as outcome:
        job.run(end)
    assert (outcome.result() > 0) == (end == "ROLLBACK")
    assert whereabouts(other, conversation) <= {"archived" if end == "COMMIT" else "live"}
    if end == "COMMIT":
        assert content(other, "archived_") == before


@pytest.mark.rule("VRM-16", "accepts")
def test_a_message_that_changes_while_the_job_waits_is_archived_as_it_then_is(meeting: Meeting) -> None:
    other, job, _, conversation = meeting
    other.run("ALTER FUNCTION archive_old_conversations(interval) SET lock_timeout = '30s'")
    with other.as_service():
        other.run("BEGIN")
        other.run(DOINGS["correct"], [conversation])
        with blocked(job, other, ARCHIVE) as outcome:
            other.run("COMMIT")
    assert outcome.result() == 1
    assert other.rows("SELECT content FROM archived_messages") == [("Corrected",)] * 2


@pytest.mark.rule("VRM-16", "refuses")
@pytest.mark.parametrize("table", ["conversations", "messages", "archived_messages"])
def test_the_job_ends_where_somebody_has_a_whole_table(meeting: Meeting, table: str) -> None:
    other, job, _, conversation = meeting
    other.run("BEGIN")
    other.run(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    assert job.value(ARCHIVE) == 0
    other.run("COMMIT")
    assert whereabouts(other, conversation) == {"live"}
    assert job.value(ARCHIVE) == 1


@pytest.mark.rule("VRM-16", "accepts")
def test_a_busy_conversation_does_not_keep_others(meeting: Meeting) -> None:
    other, job, world, conversation = meeting
    free = past_talk(other, world.ann.character, None)
    with other.as_service():
        other.run("BEGIN")
        other.run(DOINGS["rate"], [conversation])
        assert job.value(ARCHIVE) == 1
        other.run("COMMIT")
    assert (whereabouts(other, free), whereabouts(other, conversation)) == ({"archived"}, {"live"})


@pytest.mark.rule("VRM-16", "accepts")
def test_two_jobs_at_once_archive_each_conversation_once(meeting: Meeting) -> None:
    other, job, _, conversation = meeting
    other.run("BEGIN")
    assert other.value(ARCHIVE) == 1
    assert job.value(ARCHIVE) == 0
    other.run("COMMIT")
    assert job.value(ARCHIVE) == 0
    assert whereabouts(job, conversation) == {"archived"}


@pytest.mark.rule("VRM-16", "accepts")
def test_a_user_is_deleted_before_the_job_or_after_it(meeting: Meeting) -> None:
    other, job, world, conversation = meeting
    delete = "DELETE FROM users WHERE id = %s"
    other.run("BEGIN")
    other.run(delete, [world.bob.id])
    assert job.value(ARCHIVE) == 0
    other.run("ROLLBACK")
    job.run("BEGIN")
    assert job.value(ARCHIVE) == 1
    with blocked(other, job, delete, [world.bob.id]) as outcome:
        job.run("COMMIT")
    assert outcome.result() == 1
    assert other.rows("SELECT id, user_id FROM archived_conversations") == [(conversation, None)]
    assert other.rows("SELECT user_id FROM archived_messages") == [(None,)] * 2


# Cold storage

CLAIM = "SELECT id FROM claim_audio_for_cold_storage(%s)"


def record(db: Person, ago: str = "31 days", **columns: Any) -> UUID:
    """Insert an audio file that was made so long ago and return its id."""
    made = db.value("SELECT now() - %s::interval", [ago])
    return insert(db, "audio_files", storage_url="s3://hot/1.ogg", format="ogg", created_at=made, **columns)


def claim(db: Person, limit: int | None = 10) -> list[UUID]:
    return [row.id for row in db.rows(CLAIM, [limit])]


@pytest.mark.rule("VRM-16", "accepts")
def test_old_audio_is_claimed_once_oldest_first(db: Person) -> None:
    with db.as_service():
        oldest, old, older = record(db, "40 days"), record(db, "30 days 1 second"), record(db, "35 days")
        assert claim(db, 2) == [oldest, older]
        assert claim(db) == [old]
        assert claim(db) == []
    assert db.value("SELECT bool_and(claimed_until BETWEEN now() + '10 min' AND now() + '11 min') FROM audio_files")


@pytest.mark.rule("VRM-16", "refuses")
def test_young_and_cold_audio_is_not_claimed(db: Person) -> None:
    with db.as_service():
        record(db, "29 days 23 hours")
        record(db, cold_at="2026-01-01")
        file = record(db)
        for limit in (0, -1):
            assert claim(db, limit) == []
        assert claim(db, None) == [file]


@pytest.mark.rule("VRM-16", "accepts")
def test_a_claim_is_a_lease_of_ten_minutes(db: Person) -> None:
    with db.as_service():
        file = record(db)
        assert claim(db) == [file]
        for left, offered in (("1 second", []), ("-1 second", [file]), ("9 minutes", [])):
            if not left.startswith("9"):
                db.run("UPDATE audio_files SET claimed_until = now() + %s::interval", [left])
            assert claim(db) == offered


@pytest.mark.rule("VRM-16", "accepts")
def test_no_more_than_a_thousand_files_are_claimed_at_once(db: Person) -> None:
    with db.as_service():
        db.run(
            "INSERT INTO audio_files (storage_url, format, created_at)"
            " SELECT 's3://hot/1.ogg', 'ogg', '2020-01-01' FROM generate_series(1, 1001)"
        )
        assert [len(claim(db, limit)) for limit in (100_000, None)] == [1_000, 1]


@pytest.mark.rule("VRM-16", "accepts")
def test_of_many_workers_each_file_goes_to_one_and_what_a_killed_one_had_to_another(
    connect: Callable[[], Person],
) -> None:
    owner = connect()
    owner.run(
        "INSERT INTO audio_files (storage_url, format, created_at)"
        " SELECT 's3://hot/' || n || '.ogg', 'ogg', '2020-01-01' FROM generate_series(1, 200) AS n"
    )
    workers = [connect() for _ in range(20)]
    victim = workers[0]
    start = Barrier(len(workers))

    def work(worker: Person) -> list[UUID]:
        mine: list[UUID] = []
        with worker.as_service():
            start.wait(timeout=30)
            while files := claim(worker, 3):
                for file in files:
                    worker.run("SELECT mark_audio_cold(%s, 's3://cold/' || %s::text)", [file, file])
                mine += files
        return mine

    with victim.as_service():
        victim.run("BEGIN")
        taken = claim(victim, 20)
        workers[0] = connect()
        with ThreadPoolExecutor(len(workers)) as pool:
            done = [file for mine in pool.map(work, workers) for file in mine]
        assert len(taken) == 20
        assert len(done) == len(set(done)) == 180
        assert set(done).isdisjoint(taken)
        kill(victim, owner)
    with owner.as_service():
        assert set(claim(owner, 1_000)) == set(taken)
    assert owner.value("SELECT count(*) FROM audio_files WHERE cold_at IS NOT NULL") == 180
    assert owner.value("SELECT count(DISTINCT storage_url) FROM audio_files") == 200


@pytest.mark.rule("VRM-16", "accepts")
def test_a_file_that_is_moved_says_where_it_is(db: Person) -> None:
    with db.as_service():
        file, other = record(db), record(db, "32 days")
        claim(db)
        moved = db.row("SELECT * FROM mark_audio_cold(%s, 's3://cold/1.ogg')", [file])
        assert (moved.id, moved.storage_url, moved.claimed_until) == (file, "s3://cold/1.ogg", None)
        assert moved.cold_at == db.value("SELECT now()")
        db.run("UPDATE audio_files SET cold_at = '2026-01-01' WHERE id = %s", [file])
        again = db.row("SELECT * FROM mark_audio_cold(%s, 's3://colder/1.ogg')", [file])
        assert (again.storage_url, again.cold_at.year) == ("s3://colder/1.ogg", 2026)
        assert again.cold_at < moved.cold_at
    assert db.rows("SELECT storage_url, cold_at FROM audio_files WHERE id = %s", [other]) == [("s3://hot/1.ogg", None)]


@pytest.mark.rule("VRM-16", "refuses")
def test_a_file_is_somewhere_and_one_there_is(db: Person) -> None:
    with db.as_service():
        file = record(db)
        with db.refused("audio_files_pkey", "P0002"):
            db.run("SELECT mark_audio_cold(%s, 's3://cold/1.ogg')", [uuid4()])
        with db.refused("audio_files_storage_url_check", "23514"):
            db.run("SELECT mark_audio_cold(%s, ' ')", [file])
        with db.refused(sqlstate="23502"):
            db.run("SELECT mark_audio_cold(%s, NULL)", [file])
        assert claim(db) == [file]


@pytest.mark.rule("VRM-16", "refuses")
def test_only_services_move_audio(db: Person, world: World) -> None:
    file = record(db, user_id=world.bob.id)
    for person in (db.as_user(world.bob.sub), db.as_anon()):
        with person:
            for sql in (CLAIM % 1, f"SELECT mark_audio_cold('{file}', 's3://mine/1.ogg')"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
    assert db.rows("SELECT storage_url, claimed_until FROM audio_files") == [("s3://hot/1.ogg", None)]
