"""Messages and their audio: what they hold, whose they are, and that none goes into a conversation that is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import World, build_world, say, talk
from tests.people import Person, blocked, insert

OLD = "2020-01-01 00:00:00+00"
SAY = "INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'Hello')"
END = "UPDATE conversations SET status = 'ended' WHERE id = %s"


def record(db: Person, **columns: Any) -> UUID:
    """Insert an audio file and return its id."""
    return insert(db, "audio_files", **{"storage_url": "s3://hot/1.ogg", "format": "ogg", **columns})


def owner(db: Person, table: str, row: UUID) -> UUID | None:
    return db.value(f"SELECT user_id FROM {table} WHERE id = %s", [row])


# What a message holds


@pytest.mark.rule("VRM-13", "accepts")
@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_each_role_speaks(db: Person, world: World, role: str) -> None:
    with db.as_user(world.bob.sub):
        message = say(db, talk(db, world.ann.character, world.bob), role=role)
        assert db.value("SELECT role FROM messages WHERE id = %s", [message]) == role


@pytest.mark.rule("VRM-13", "refuses")
@pytest.mark.parametrize("role", ["", "tool", "User", "agent"])
def test_any_other_role_is_refused(db: Person, world: World, role: str) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    for person in (db.as_user(world.bob.sub), db.as_service()):
        with person, db.refused("messages_role_check", "23514"):
            say(db, conversation, role=role)


@pytest.mark.rule("VRM-13", "accepts")
@pytest.mark.parametrize("content", [".", " x ", "☕", "ä" * 100_000])
def test_any_visible_content_is_kept_as_it_is(db: Person, world: World, content: str) -> None:
    with db.as_user(world.bob.sub):
        message = say(db, talk(db, world.ann.character, world.bob), content)
        assert db.value("SELECT content FROM messages WHERE id = %s", [message]) == content


@pytest.mark.rule("VRM-13", "refuses")
@pytest.mark.parametrize("content", ["", " ", "\n\t", "\u00a0", "\u200b\ufeff"])
def test_blank_content_is_refused(db: Person, world: World, content: str) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    message = say(db, conversation)
    with db.as_user(world.bob.sub), db.refused("messages_content_check", "23514"):
        say(db, conversation, content)
    with db.as_service(), db.refused("messages_content_check", "23514"):
        db.run("UPDATE messages SET content = %s WHERE id = %s", [content, message])


@pytest.mark.rule("VRM-13", "accepts")
@pytest.mark.parametrize("count", [0, 1, 2_147_483_647, None])
def test_a_count_of_tokens_is_at_least_zero_or_unknown(db: Person, world: World, count: int | None) -> None:
    with db.as_service():
        message = say(db, talk(db, world.ann.character, None), token_count=count)
        assert db.value("SELECT token_count FROM messages WHERE id = %s", [message]) == count


@pytest.mark.rule("VRM-13", "refuses")
def test_a_negative_count_of_tokens_is_refused(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    for person in (db.as_user(world.bob.sub), db.as_service()):
        with person, db.refused("messages_token_count_check", "23514"):
            say(db, conversation, token_count=-1)


@pytest.mark.rule("VRM-13", "refuses")
@pytest.mark.parametrize("column", ["role", "content", "metadata", "created_at"])
def test_what_every_message_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        say(db, conversation, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-13", "refuses")
def test_what_a_message_is_does_not_change(db: Person, world: World) -> None:
    conversation, other = (talk(db, world.ann.character, world.bob) for _ in range(2))
    message = say(db, conversation)
    with db.as_service():
        for column, value in (("id", uuid4()), ("conversation_id", other), ("created_at", OLD)):
            with db.refused("messages_immutable_check", "23514"):
                db.run(f"UPDATE messages SET {column} = %s", [value])
        # Its user is the conversation's, whatever is sent.
        assert db.run("UPDATE messages SET id = id, content = 'Corrected', user_id = %s", [world.ann.id]) == 1
    assert db.rows("SELECT id, content, user_id FROM messages") == [(message, "Corrected", world.bob.id)]
    with db.as_user(world.bob.sub):
        for sql in ("UPDATE messages SET content = 'Mine'", "DELETE FROM messages"):
            with db.refused(sqlstate="42501"):
                db.run(sql)


# Whose it is


@pytest.mark.rule("VRM-14", "accepts")
def test_a_message_is_of_the_user_of_its_conversation(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with db.as_user(user.sub):
            conversation = talk(db, world.ann.character, user)
            messages = {say(db, conversation), say(db, conversation, user_id=user.id)}
            messages.add(say(db, conversation, user_id=world.ann.id))
            assert dict(db.rows("SELECT id, user_id FROM messages")) == dict.fromkeys(messages, user.id)
    with db.as_service():
        assert owner(db, "messages", say(db, talk(db, world.ann.character, None), user_id=world.ann.id)) is None


@pytest.mark.rule("VRM-14", "refuses")
def test_the_conversation_of_another_is_a_missing_one(db: Person, world: World) -> None:
    anothers = [talk(db, world.bob.character, world.bob), talk(db, world.ann.character, None)]
    said = set()
    for person in (db.as_user(world.ann.sub), db.as_service()):
        with person:
            for conversation in [uuid4()] if said else [*anothers, uuid4()]:
                with db.refused("messages_conversation_id_fkey", "23503") as caught:
                    say(db, conversation)
                diag = caught.value.diag
                said.add((diag.message_primary, diag.message_detail, diag.table_name, diag.schema_name))
    assert len(said) == 1
    with db.as_anon(), db.refused(sqlstate="42501"):
        say(db, anothers[1])


@pytest.mark.rule("VRM-12", "refuses")
def test_users_cannot_state_when_a_message_was_said(db: Person, world: World) -> None:
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob)
        for moment in (OLD, "2100-01-01 00:00:00+00", "infinity"):
            with db.refused("messages_created_at_authority_check", "42501"):
                say(db, conversation, created_at=moment)
        # The value that it gets anyhow may be sent.
        now = db.value("SELECT now()")
        say(db, conversation, created_at=now)
        assert db.rows("SELECT created_at FROM messages") == [(now,)]


@pytest.mark.rule("VRM-12", "accepts")
def test_a_conversation_begins_no_later_than_its_first_message(db: Person, world: World) -> None:
    conversation, other = (talk(db, world.ann.character, world.bob) for _ in range(2))
    with db.as_service():
        for moment in ("2026-01-01 00:00+00", "2025-01-01 00:00+00", "2025-06-01 00:00+00", "2100-01-01 00:00+00"):
            say(db, conversation, created_at=moment)
    began = "SELECT started_at = %s FROM conversations WHERE id = %s"
    assert db.value(began, ["2025-01-01 00:00+00", conversation])
    assert db.value(began, [db.value("SELECT now()"), other])
    with db.as_service():
        assert len(db.rows("SELECT * FROM get_conversation_messages(%s)", [conversation])) == 4


@pytest.mark.rule("VRM-12", "refuses")
def test_no_user_moves_the_beginning_of_a_conversation(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    began = db.value("SELECT started_at FROM conversations")
    # Nor that of one's own: it would stand in the analytics of somebody else's character.
    for moment, user in ((OLD, world.ann), ("2100-01-01 00:00+00", world.bob), (OLD, world.bob)):
        with db.as_user(user.sub):
            db.run("SELECT begin_conversation_earlier(%s, %s)", [conversation, moment])
        assert db.value("SELECT started_at FROM conversations") == began
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT begin_conversation_earlier(%s, %s)", [conversation, OLD])


# Only into what is active


@pytest.mark.rule("VRM-14", "refuses")
@pytest.mark.parametrize("status", ["ended", "archived"])
def test_no_message_goes_into_a_conversation_that_is_over(db: Person, world: World, status: str) -> None:
    conversation = talk(db, world.ann.character, world.bob, status=status)
    for person in (db.as_user(world.bob.sub), db.as_service()):
        with person, db.refused("messages_conversation_active_check", "23514") as caught:
            say(db, conversation)
        assert caught.value.diag.message_primary == f"conversation {conversation} is {status}"
        assert caught.value.diag.message_hint
    active = talk(db, world.ann.character, world.bob)
    with db.as_service(), db.refused("messages_conversation_active_check", "23514"):
        db.run(
            "INSERT INTO messages (conversation_id, role, content) SELECT c, 'user', 'Hello' FROM unnest(%s) AS c",
            [[active, conversation]],
        )


@pytest.fixture
def meeting(connect: Callable[[], Person]) -> tuple[Person, Person, World, UUID]:
    """Two sessions of Bob's, who talks with Ann's character."""
    one, two = connect(), connect()
    world = build_world(one)
    return one, two, world, talk(one, world.ann.character, world.bob)


Meeting = tuple[Person, Person, World, UUID]


def refusal(level: str) -> dict[str, str]:
    """Return what a message is refused by whose conversation ended since its transaction began."""
    return {"constraint": "messages_conversation_active_check"} if level == "READ COMMITTED" else {"sqlstate": "40001"}


@pytest.mark.rule("VRM-14", "refuses")
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_message_waits_for_who_ends_its_conversation(meeting: Meeting, level: str, end: str) -> None:
    ender, writer, world, conversation = meeting
    with ender.as_user(world.bob.sub), writer.as_user(world.bob.sub):
        writer.run(f"BEGIN ISOLATION LEVEL {level}")
        writer.rows("SELECT id FROM conversations")
        ender.run("BEGIN")
        ender.run(END, [conversation])
        with blocked(writer, ender, SAY, [conversation]) as outcome:
            ender.run(end)
        writer.run("COMMIT")
        if end == "ROLLBACK":
            assert outcome.result() == 1
        else:
            with writer.refused(**refusal(level)):
                outcome.result()
    assert ender.value("SELECT count(*) FROM messages") == (end == "ROLLBACK")


@pytest.mark.rule("VRM-14", "refuses")
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_conversation_that_ended_meanwhile_takes_no_message(meeting: Meeting, level: str) -> None:
    ender, writer, world, conversation = meeting
    with ender.as_user(world.bob.sub), writer.as_user(world.bob.sub):
        writer.run(f"BEGIN ISOLATION LEVEL {level}")
        assert writer.rows("SELECT status FROM conversations") == [("active",)]
        ender.run(END, [conversation])
        with writer.refused(**refusal(level)):
            writer.run(SAY, [conversation])
        writer.run("ROLLBACK")
    assert ender.value("SELECT count(*) FROM messages") == 0


@pytest.mark.rule("VRM-14", "accepts")
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_who_ends_a_conversation_waits_for_its_message(meeting: Meeting, level: str) -> None:
    ender, writer, world, conversation = meeting
    with ender.as_user(world.bob.sub), writer.as_user(world.bob.sub):
        writer.run("BEGIN")
        writer.run(SAY, [conversation])
        ender.run(f"BEGIN ISOLATION LEVEL {level}")
        with blocked(ender, writer, END, [conversation]) as outcome:
            writer.run("COMMIT")
        assert outcome.result() == 1
        ender.run("COMMIT")
        with writer.refused("messages_conversation_active_check", "23514"):
            writer.run(SAY, [conversation])
    assert ender.rows("SELECT status, content FROM conversations, messages") == [("ended", "Hello")]


@pytest.mark.rule("VRM-14", "accepts")
def test_messages_of_one_conversation_do_not_wait_for_each_other(meeting: Meeting) -> None:
    one, two, world, conversation = meeting
    with one.as_user(world.bob.sub), two.as_user(world.bob.sub):
        two.run("SET lock_timeout = '1s'")
        one.run("BEGIN")
        one.run(SAY, [conversation])
        assert two.run(SAY, [conversation]) == 1
        one.run("COMMIT")
        assert two.value("SELECT count(*) FROM messages") == 2


# Audio


@pytest.mark.rule("VRM-13", "accepts")
def test_a_file_becomes_that_of_the_user_who_says_it(db: Person, world: World) -> None:
    with db.as_service():
        conversation = talk(db, world.ann.character, world.bob)
        file, later = record(db), record(db, duration_ms=0, size_bytes=0)
        say(db, conversation, audio_file_id=file)
        message = say(db, conversation)
        db.run("UPDATE messages SET audio_file_id = %s WHERE id = %s", [later, message])
        visitors = record(db, duration_ms=1_000, size_bytes=2_000)
        say(db, talk(db, world.ann.character, None), audio_file_id=visitors)
        assert owner(db, "audio_files", visitors) is None
    with db.as_user(world.bob.sub):
        assert {row.id for row in db.rows("SELECT id FROM audio_files")} == {file, later}
        # What is one's own can be said again.
        say(db, conversation, audio_file_id=file)
    with db.as_user(world.ann.sub):
        assert db.rows("SELECT id FROM audio_files") == []


@pytest.mark.rule("VRM-13", "refuses")
def test_the_file_of_another_is_a_missing_one(db: Person, world: World) -> None:
    anns, visitors = record(db, user_id=world.ann.id), record(db)
    said = set()
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob)
        for file in (anns, visitors, uuid4()):
            with db.refused("messages_audio_file_id_fkey", "23503") as caught:
                say(db, conversation, audio_file_id=file)
            said.add((caught.value.diag.message_primary, caught.value.diag.message_detail))
    assert len(said) == 1
    with db.as_service():
        message = say(db, conversation)
        for talking in (conversation, talk(db, world.ann.character, None)):
            with db.refused("messages_audio_file_user_check", "23514"):
                say(db, talking, audio_file_id=anns)
        for file, rule in ((anns, "messages_audio_file_user_check"), (uuid4(), "messages_audio_file_id_fkey")):
            with db.refused(rule):
                db.run("UPDATE messages SET audio_file_id = %s WHERE id = %s", [file, message])
    assert (owner(db, "audio_files", anns), owner(db, "audio_files", visitors)) == (world.ann.id, None)


@pytest.mark.rule("VRM-13", "refuses")
def test_of_two_users_who_say_one_file_the_second_is_refused(meeting: Meeting) -> None:
    one, two, world, conversation = meeting
    other = talk(one, world.ann.character, world.ann)
    file = record(one)
    say_it = "INSERT INTO messages (conversation_id, role, content, audio_file_id) VALUES (%s, 'user', 'Hello', %s)"
    with one.as_service(), two.as_service():
        one.run("BEGIN")
        one.run(say_it, [conversation, file])
        with blocked(two, one, say_it, [other, file]) as outcome:
            one.run("COMMIT")
        with two.refused("messages_audio_file_user_check", "23514"):
            outcome.result()
    assert one.rows("SELECT user_id FROM messages") == [(world.bob.id,)]


@pytest.mark.rule("VRM-13", "accepts")
def test_a_message_stays_when_its_file_is_deleted(db: Person, world: World) -> None:
    with db.as_service():
        file = record(db)
        say(db, talk(db, world.ann.character, world.bob), audio_file_id=file)
        assert db.run("DELETE FROM audio_files") == 1
        assert db.rows("SELECT audio_file_id FROM messages") == [(None,)]


@pytest.mark.rule("VRM-13", "refuses")
@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("format", ["", " ", "\u200b"]),
        ("storage_url", ["", "\n"]),
        ("duration_ms", [-1]),
        ("size_bytes", [-1]),
    ],
)
def test_an_audio_file_says_where_and_what_it_is(db: Person, column: str, values: list[Any]) -> None:
    for value in values:
        with db.as_service(), db.refused(f"audio_files_{column}_check", "23514"):
            record(db, **{column: value})
    if column in ("format", "storage_url"):
        with db.as_service(), db.refused(sqlstate="23502"):
            record(db, **{column: None})


@pytest.mark.rule("VRM-13", "refuses")
def test_only_services_keep_audio_files(db: Person, world: World) -> None:
    file = record(db, user_id=world.bob.id)
    with db.as_user(world.bob.sub):
        for sql in ("DELETE FROM audio_files", "UPDATE audio_files SET format = 'wav'"):
            with db.refused(sqlstate="42501"):
                db.run(sql)
        with db.refused(sqlstate="42501"):
            record(db)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT id FROM audio_files")
    with db.as_service():
        assert db.run("UPDATE audio_files SET duration_ms = 0 WHERE id = %s", [file]) == 1


# Compression


def compressions(db: Person) -> dict[str, str]:
    """Return how each partition, and what they are partitions of, compresses content."""
    return dict(
        db.rows(
            "SELECT a.attrelid::regclass::text, a.attcompression::text FROM pg_attribute AS a"
            " WHERE a.attname = 'content' AND a.attrelid IN (SELECT relid FROM pg_partition_tree('messages'))"
        )
    )


@pytest.mark.rule("VRM-15", "accepts")
def test_content_is_compressed_by_lz4_where_the_server_has_it(db: Person) -> None:
    offered = db.value("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
    db.run("SELECT create_message_partition('2331-05-01')")
    found = compressions(db)
    assert len(found) == 7
    assert set(found.values()) == {"l" if "lz4" in offered else ""}


@pytest.mark.rule("VRM-15", "accepts")
def test_later_partitions_compress_as_messages_do(db: Person, world: World) -> None:
    # A method that every server has shows it where there is no lz4.
    db.run("ALTER TABLE messages ALTER COLUMN content SET COMPRESSION pglz")
    db.run("SELECT create_message_partition('2331-05-01')")
    assert compressions(db)["messages_2331_05"] == "p"
    with db.as_service():
        message = say(db, talk(db, world.ann.character, None), "Hello " * 10_000, created_at="2331-05-03")
        content = db.row("SELECT pg_column_compression(content) AS how, content FROM messages WHERE id = %s", [message])
    assert content == ("pglz", "Hello " * 10_000)


@pytest.mark.rule("VRM-15", "refuses")
def test_a_method_that_the_server_does_not_have_is_refused(db: Person) -> None:
    offered = db.value("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
    method = "zstd" if "lz4" in offered else "lz4"
    # 0A000 is what the migration takes for the lack of it.
    with db.refused(sqlstate="0A000" if method == "lz4" else "22023"):
        db.run(f"ALTER TABLE messages ALTER COLUMN content SET COMPRESSION {method}")
