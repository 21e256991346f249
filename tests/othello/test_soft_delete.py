"""Soft deletion: what a deleted user or conversation takes out of sight, what ends with it, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

from tests.othello.world import PASSWORD_HASH, User, World, begin, build_world, propose, say, schedule, sign_up
from tests.people import Person, blocked, insert

DELETE_USER = "SELECT soft_delete_user(%s)"
DELETE_CONVERSATION = "SELECT soft_delete_conversation(%s)"
# In these rules a missing row and one of somebody else are the same.
MISSING = "P0002"


def sign_in(db: Person, user: User) -> str:
    return db.value("SELECT open_session(%s, '::1', 'Browser')", [user.id])


def acting(db: Person, user: User, as_whom: str) -> AbstractContextManager[Any]:
    """Act as the user, the service or the owner."""
    return {"user": user.acting(db), "service": db.as_service(), "owner": nullcontext()}[as_whom]


def everything(db: Person, conversation: int) -> list[Any]:
    """What the present role sees of a conversation."""
    return [
        *db.rows("SELECT id FROM conversations WHERE id = %s", [conversation]),
        *db.rows("SELECT id FROM messages WHERE conversation_id = %s ORDER BY id", [conversation]),
    ]


# Users


@pytest.mark.rule("OTH-05", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
def test_a_deleted_user_is_invisible_to_every_api_role(db: Person, world: World, as_whom: str) -> None:
    with acting(db, world.ann, as_whom):
        db.run(DELETE_USER, [world.ann.id])
    with db.as_service():
        assert [row.id for row in db.rows("SELECT id FROM users")] == [world.bob.id]
        assert db.run("UPDATE users SET full_name = 'Ann' WHERE id = %s", [world.ann.id]) == 0
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann.id]) == 0
    with world.ann.acting(db):
        assert db.rows("SELECT id FROM users_public") == []
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run("SELECT id FROM users")
    deleted = db.row("SELECT deleted_at = now(), is_active FROM users WHERE id = %s", [world.ann.id])
    assert deleted == (True, True)
    assert db.value("SELECT deleted_at FROM users WHERE id = %s", [world.bob.id]) is None


@pytest.mark.rule("OTH-05", "accepts")
def test_nothing_of_a_deleted_user_is_theirs_any_more(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    say(db, conversation)
    schedule(db, world.ann)
    propose(db, world.ann)
    insert(db, "user_preferences", user_id=world.ann.id, preference_key="theme")
    insert(db, "psychological_profiles", user_id=world.ann.id)
    readable = ["consent_tiers", "conversations", "messages", "agent_activities", "interventions"]
    readable += ["psychological_profiles", "user_preferences"]
    with world.ann.acting(db):
        assert all(db.rows(f"SELECT id FROM {table}") for table in readable)
        db.run(DELETE_USER, [world.ann.id])
        assert not any(db.rows(f"SELECT id FROM {table}") for table in readable)
        with db.refused(sqlstate="42501"):
            begin(db, world.ann)
        with db.refused(sqlstate=MISSING):
            db.run(DELETE_CONVERSATION, [conversation])


@pytest.mark.rule("OTH-05", "accepts")
def test_the_sessions_of_a_deleted_user_end(db: Person, world: World) -> None:
    with db.as_service():
        tokens = [sign_in(db, world.ann), sign_in(db, world.ann)]
        closed = sign_in(db, world.ann)
        others = sign_in(db, world.bob)
        db.run("SELECT close_session(%s)", [closed])
        ended = db.value("SELECT logout_at FROM session_logs WHERE NOT is_active")
        assert [db.value("SELECT touch_session(%s)", [token]) for token in tokens] == [world.ann.id] * 2
        db.run(DELETE_USER, [world.ann.id])
        for token in tokens:
            assert db.value("SELECT touch_session(%s)", [token]) is None
            assert db.value("SELECT rotate_session(%s)", [token]) is None
            assert db.value("SELECT close_session(%s)", [token]) is False
        assert db.value("SELECT touch_session(%s)", [others]) == world.bob.id
        with db.refused(sqlstate=MISSING):
            sign_in(db, world.ann)
        found = db.rows("SELECT is_active, logout_at FROM session_logs WHERE user_id = %s ORDER BY id", [world.ann.id])
    assert [row.is_active for row in found] == [False] * 3
    assert all(row.logout_at > ended for row in found[:2])
    assert found[2].logout_at == ended


@pytest.mark.rule("OTH-05", "accepts")
def test_what_was_scheduled_for_a_deleted_user_is_dismissed(db: Person, world: World) -> None:
    with db.as_service():
        waiting = [schedule(db, world.ann), schedule(db, world.ann, scheduled_for="2099-01-01Z")]
        delivered = schedule(db, world.ann, status="delivered")
        others = schedule(db, world.bob)
    with world.ann.acting(db):
        db.run(DELETE_USER, [world.ann.id])
    states = dict(db.rows("SELECT id, status FROM interventions"))
    assert states == {**dict.fromkeys(waiting, "dismissed"), delivered: "delivered", others: "scheduled"}


@pytest.mark.rule("OTH-05", "refuses")
def test_nobody_deletes_another_or_a_missing_user(db: Person, world: World) -> None:
    missing = world.bob.id + 1000
    with world.ann.acting(db):
        messages = []
        for user in (world.bob.id, missing):
            with db.refused(sqlstate=MISSING) as caught:
                db.run(DELETE_USER, [user])
            messages.append(caught.value.diag.message_primary.replace(str(user), "?"))
        assert messages[0] == messages[1]
        with db.refused(sqlstate=MISSING):
            db.run(DELETE_USER, [None])
        db.run(DELETE_USER, [world.ann.id])
        with db.refused(sqlstate=MISSING):
            db.run(DELETE_USER, [world.ann.id])
    with db.as_service():
        for user in (world.ann.id, missing, None):
            with db.refused(sqlstate=MISSING):
                db.run(DELETE_USER, [user])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(DELETE_USER, [world.bob.id])
    assert db.value("SELECT count(*) FROM users WHERE deleted_at IS NULL") == 1


@pytest.mark.rule("OTH-05", "refuses")
def test_deleted_at_of_a_user_is_not_set_directly(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("users_deleted_at_check", "42501") as caught:
            db.run("UPDATE users SET deleted_at = now() WHERE id = %s", [world.ann.id])
        assert "soft_delete_user" in caught.value.diag.message_hint
        assert db.run("UPDATE users SET deleted_at = NULL, full_name = 'Ann'") == 2
        # Without RETURNING, which would have to read the row.
        with db.refused(sqlstate="42501"):
            db.run(
                "INSERT INTO users (email, password_hash, deleted_at) VALUES ('carl@example.org', %s, now())",
                [PASSWORD_HASH],
            )


@pytest.mark.rule("OTH-05", "refuses")
def test_the_address_and_name_of_a_deleted_user_stay_taken(db: Person, world: World) -> None:
    with db.as_service():
        db.run("UPDATE users SET username = 'ann' WHERE id = %s", [world.ann.id])
        db.run(DELETE_USER, [world.ann.id])
        with db.refused("idx_users_email", "23505"):
            sign_up(db, "ann")
        with db.refused("users_username_key", "23505"):
            sign_up(db, "carl", username="ann")
        # Nor does an upsert bring the row back or change it.
        with db.refused(sqlstate="42501"):
            db.run(
                "INSERT INTO users (email, password_hash) VALUES ('ann@example.org', %s)"
                " ON CONFLICT (email) DO UPDATE SET full_name = 'Again', deleted_at = NULL",
                [PASSWORD_HASH],
            )


@pytest.mark.rule("OTH-05", "accepts")
def test_the_owner_brings_a_user_back_who_signs_in_anew(db: Person, world: World) -> None:
    begin(db, world.ann)
    intervention = schedule(db, world.ann)
    token = sign_in(db, world.ann)
    with world.ann.acting(db):
        db.run(DELETE_USER, [world.ann.id])
    with db.as_service():
        later = schedule(db, world.ann)
    assert db.run("UPDATE users SET deleted_at = NULL WHERE id = %s", [world.ann.id]) == 1
    with world.ann.acting(db):
        assert db.value("SELECT id FROM users_public") == world.ann.id
        assert len(db.rows("SELECT id FROM conversations")) == 1
        states = dict(db.rows("SELECT id, status FROM interventions"))
        assert states == {intervention: "dismissed", later: "scheduled"}
    with db.as_service():
        assert db.value("SELECT touch_session(%s)", [token]) is None
        assert db.value("SELECT touch_session(%s)", [sign_in(db, world.ann)]) == world.ann.id


# Conversations


@pytest.mark.rule("OTH-05", "accepts")
@pytest.mark.parametrize("as_whom", ["user", "service"])
def test_a_deleted_conversation_and_its_messages_are_invisible(db: Person, world: World, as_whom: str) -> None:
    gone, kept = begin(db, world.ann), begin(db, world.ann)
    message = say(db, gone)
    say(db, kept)
    with acting(db, world.ann, as_whom):
        db.run(DELETE_CONVERSATION, [gone])
    for person in (world.ann.acting(db), world.bob.acting(db), db.as_service()):
        with person:
            assert everything(db, gone) == []
            assert db.run("UPDATE conversations SET title = 'Mine' WHERE id = %s", [gone]) == 0
            assert db.run("UPDATE messages SET content = 'Mine' WHERE id = %s", [message]) == 0
    with world.ann.acting(db):
        assert len(everything(db, kept)) == 2
    with db.as_anon():
        for table in ("conversations", "messages"):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT id FROM {table}")
    deleted = db.rows("SELECT deleted_at = now() FROM messages WHERE conversation_id = %s", [gone])
    assert deleted == [(True,)]


@pytest.mark.rule("OTH-05", "refuses")
def test_nobody_deletes_the_conversation_of_another_or_a_missing_one(db: Person, world: World) -> None:
    others, mine = begin(db, world.bob), begin(db, world.ann)
    missing = mine + 1000
    with world.ann.acting(db):
        messages = []
        for conversation in (others, missing):
            with db.refused(sqlstate=MISSING) as caught:
                db.run(DELETE_CONVERSATION, [conversation])
            messages.append(caught.value.diag.message_primary.replace(str(conversation), "?"))
        assert messages[0] == messages[1]
        with db.refused(sqlstate=MISSING):
            db.run(DELETE_CONVERSATION, [None])
        db.run(DELETE_CONVERSATION, [mine])
        with db.refused(sqlstate=MISSING):
            db.run(DELETE_CONVERSATION, [mine])
    with db.as_service():
        for conversation in (mine, missing, None):
            with db.refused(sqlstate=MISSING):
                db.run(DELETE_CONVERSATION, [conversation])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(DELETE_CONVERSATION, [others])
    with world.bob.acting(db):
        assert len(everything(db, others)) == 1


@pytest.mark.rule("OTH-05", "refuses")
def test_deleted_at_of_a_conversation_is_not_set_directly(db: Person, world: World) -> None:
    mine, others = begin(db, world.ann), begin(db, world.bob)
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            with db.refused("conversations_deleted_at_check", "42501") as caught:
                db.run("UPDATE conversations SET deleted_at = now() WHERE id = %s", [mine])
            assert "soft_delete_conversation" in caught.value.diag.message_hint
            assert db.run("UPDATE conversations SET deleted_at = NULL, title = 'Mine' WHERE id = %s", [mine]) == 1
            with db.refused(sqlstate="42501"):
                db.run("INSERT INTO conversations (user_id, deleted_at) VALUES (%s, now())", [world.ann.id])
    with world.ann.acting(db):
        assert db.run("UPDATE conversations SET deleted_at = now() WHERE id = %s", [others]) == 0


@pytest.mark.rule("OTH-05", "refuses")
def test_deleted_at_of_a_message_is_the_databases(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    message = say(db, conversation)
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            assert db.run("UPDATE messages SET deleted_at = now() WHERE id = %s", [message]) == 1
            assert db.value("SELECT deleted_at FROM messages WHERE id = %s", [message]) is None
            with db.refused(sqlstate="42501"):
                db.run(
                    "INSERT INTO messages (conversation_id, user_id, role, content, deleted_at)"
                    " VALUES (%s, %s, 'user', 'Hidden', now())",
                    [conversation, world.ann.id],
                )


@pytest.mark.rule("OTH-05", "refuses")
@pytest.mark.parametrize("as_whom", ["user", "service", "owner"])
@pytest.mark.parametrize("named", [True, False])
def test_a_deleted_conversation_takes_no_message(db: Person, world: World, as_whom: str, named: bool) -> None:
    conversation, kept, missing = begin(db, world.ann), begin(db, world.ann), 2**40
    db.run(DELETE_CONVERSATION, [conversation])
    columns = {"user_id": world.ann.id} if named else {}
    said = []
    with acting(db, world.ann, as_whom):
        for target in (conversation, missing):
            with db.refused("messages_conversation_id_fkey", "23503") as caught:
                say(db, target, **columns)
            said.append(caught.value.diag.message_primary)
        assert say(db, kept, **columns) > 0
    assert said[0] == said[1]


@pytest.mark.rule("OTH-05", "accepts")
def test_the_owner_brings_a_conversation_back_with_its_messages(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    message = say(db, conversation)
    with world.ann.acting(db):
        before = everything(db, conversation)
        db.run(DELETE_CONVERSATION, [conversation])
    assert db.run("UPDATE conversations SET deleted_at = NULL WHERE id = %s", [conversation]) == 1
    with world.ann.acting(db):
        assert everything(db, conversation) == before == [(conversation,), (message,)]
        say(db, conversation)


# Two sessions at once


def insert_message(world: World, conversation: int) -> tuple[str, list[Any]]:
    return (
        "INSERT INTO messages (conversation_id, user_id, role, content) VALUES (%s, %s, 'user', 'Late')",
        [conversation, world.ann.id],
    )


@pytest.mark.rule("OTH-05", "accepts")
def test_a_message_that_is_just_being_written_is_hidden_too(connect: Callable[[], Person]) -> None:
    writer, deleter = connect(), connect()
    world = build_world(writer)
    conversation = begin(writer, world.ann)
    with writer.as_user(world.ann.external_id), deleter.as_service():
        writer.run("BEGIN")
        writer.run(*insert_message(world, conversation))
        with blocked(deleter, writer, DELETE_CONVERSATION, [conversation]) as deletion:
            writer.run("COMMIT")
        assert deletion.result() == 1
        assert everything(writer, conversation) == []
    assert writer.rows("SELECT content, deleted_at IS NULL AS live FROM messages") == [("Late", False)]


@pytest.mark.rule("OTH-05", "refuses")
@pytest.mark.parametrize("outcome", ["COMMIT", "ROLLBACK"])
def test_a_message_waits_for_a_conversation_that_is_just_being_deleted(
    connect: Callable[[], Person], outcome: str
) -> None:
    writer, deleter = connect(), connect()
    world = build_world(writer)
    conversation = begin(writer, world.ann)
    with writer.as_user(world.ann.external_id), deleter.as_user(world.ann.external_id):
        deleter.run("BEGIN")
        deleter.run(DELETE_CONVERSATION, [conversation])
        with blocked(writer, deleter, *insert_message(world, conversation)) as message:
            deleter.run(outcome)
        if outcome == "ROLLBACK":
            assert message.result() == 1
            assert len(everything(writer, conversation)) == 2
        else:
            with writer.refused("messages_conversation_id_fkey", "23503"):
                message.result()
    assert writer.value("SELECT count(*) FROM messages") == (outcome == "ROLLBACK")


@pytest.mark.rule("OTH-05", "refuses")
def test_a_message_that_was_just_hidden_is_not_changed(connect: Callable[[], Person]) -> None:
    writer, deleter = connect(), connect()
    world = build_world(writer)
    conversation = begin(writer, world.ann)
    message = say(writer, conversation)
    with writer.as_user(world.ann.external_id), deleter.as_user(world.ann.external_id):
        deleter.run("BEGIN")
        deleter.run(DELETE_CONVERSATION, [conversation])
        with blocked(writer, deleter, "UPDATE messages SET content = 'Late' WHERE id = %s", [message]) as change:
            deleter.run("COMMIT")
        assert change.result() == 0
    assert writer.value("SELECT content FROM messages") == "Hello"


@pytest.mark.rule("OTH-05", "refuses")
def test_of_two_who_delete_the_same_one_finds_nothing(connect: Callable[[], Person]) -> None:
    first, second = connect(), connect()
    world = build_world(first)
    conversation = begin(first, world.ann)
    with first.as_user(world.ann.external_id), second.as_service():
        for sql, row in ((DELETE_CONVERSATION, conversation), (DELETE_USER, world.ann.id)):
            first.run("BEGIN")
            first.run(sql, [row])
            with blocked(second, first, sql, [row]) as again:
                first.run("COMMIT")
            with second.refused(sqlstate=MISSING):
                again.result()
