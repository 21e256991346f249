"""Conversations: with whom one may talk, whose they are, and how they end."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import User, World, create, say, talk
from tests.people import Person, insert

STATES = ("active", "ended", "archived")
STEPS = {("active", "ended"), ("ended", "archived"), ("active", "archived")}
OLD = "2020-01-01 00:00:00+00"
LATER = "2020-01-01 01:00:00+00"


def conversation_in(db: Person, world: World, status: str) -> UUID:
    """Insert a conversation of Bob's with Ann's character as the owner, in whatever state."""
    return talk(db, world.ann.character, world.bob, status=status)


def look(db: Person, conversation: UUID) -> Any:
    return db.row("SELECT * FROM conversations WHERE id = %s", [conversation])


# Its states


@pytest.mark.rule("VRM-11", "accepts")
@pytest.mark.parametrize("by", ["user", "service"])
@pytest.mark.parametrize(("before", "after"), sorted(STEPS | {(state, state) for state in STATES}))
def test_a_step_that_the_states_know_is_taken(db: Person, world: World, by: str, before: str, after: str) -> None:
    conversation = conversation_in(db, world, before)
    was = look(db, conversation)
    with db.as_user(world.bob.sub) if by == "user" else db.as_service():
        assert db.run("UPDATE conversations SET status = %s WHERE id = %s", [after, conversation]) == 1
    now = look(db, conversation)
    assert now.status == after
    assert (now.ended_at is None) == (after == "active")
    if before != "active":
        assert now.ended_at == was.ended_at


@pytest.mark.rule("VRM-11", "refuses")
@pytest.mark.parametrize("by", ["user", "service"])
@pytest.mark.parametrize(
    ("before", "after"), sorted(set(product(STATES, STATES)) - STEPS - {(state, state) for state in STATES})
)
def test_any_other_step_is_refused(db: Person, world: World, by: str, before: str, after: str) -> None:
    conversation = conversation_in(db, world, before)
    with (
        db.as_user(world.bob.sub) if by == "user" else db.as_service(),
        db.refused("conversations_status_transition_check", "23514"),
    ):
        db.run("UPDATE conversations SET status = %s WHERE id = %s", [after, conversation])


@pytest.mark.rule("VRM-11", "refuses")
def test_a_state_that_does_not_exist_is_refused(db: Person, world: World) -> None:
    for status in ("", "closed", "Active", "deleted"):
        with db.as_service(), db.refused("conversations_status_check", "23514"):
            conversation_in(db, world, status)
    conversation = conversation_in(db, world, "active")
    with db.as_service(), db.refused("conversations_status_transition_check", "23514"):
        db.run("UPDATE conversations SET status = 'closed' WHERE id = %s", [conversation])


@pytest.mark.rule("VRM-11", "refuses")
@pytest.mark.parametrize("status", STATES)
def test_users_begin_conversations_and_services_bring_any(db: Person, world: World, status: str) -> None:
    with db.as_service():
        imported = conversation_in(db, world, status)
    assert look(db, imported).status == status
    with db.as_user(world.bob.sub):
        if status == "active":
            talk(db, world.ann.character, world.bob)
            return
        with db.refused("conversations_status_transition_check", "42501"):
            conversation_in(db, world, status)


@pytest.mark.rule("VRM-11", "accepts")
def test_a_conversation_ends_when_it_is_ended(db: Person, world: World) -> None:
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob, ended_at=OLD)
        assert look(db, conversation).ended_at is None
        db.run("UPDATE conversations SET ended_at = %s", [OLD])
        assert look(db, conversation).ended_at is None
        db.run("UPDATE conversations SET status = 'ended', ended_at = %s", [OLD])
        ended_at = look(db, conversation).ended_at
        assert db.value("SELECT %s BETWEEN now() AND clock_timestamp()", [ended_at])
        for change in ("ended_at = NULL", f"ended_at = '{LATER}'", "status = 'archived', ended_at = now()"):
            db.run(f"UPDATE conversations SET {change}")
            assert look(db, conversation).ended_at == ended_at


@pytest.mark.rule("VRM-11", "accepts")
def test_services_state_when_an_imported_conversation_began_and_ended(db: Person, world: World) -> None:
    for status in ("ended", "archived"):
        with db.as_service():
            stated = talk(
                db, world.ann.character, world.bob, status=status, started_at=OLD, ended_at=LATER, message_count=7
            )
            left_out = talk(db, world.ann.character, world.bob, status=status, started_at=OLD)
        found = look(db, stated)
        assert db.value("SELECT %s = %s::timestamptz AND %s = %s", [found.started_at, OLD, found.ended_at, LATER])
        assert found.message_count == 0
        assert db.value("SELECT %s > now()", [look(db, left_out).ended_at])


@pytest.mark.rule("VRM-11", "accepts")
@pytest.mark.parametrize("status", ["ended", "archived"])
def test_services_import_the_messages_and_then_the_end(db: Person, world: World, status: str) -> None:
    with db.as_service():
        conversation = talk(db, world.ann.character, world.bob, started_at=OLD)
        say(db, conversation, created_at=OLD)
        db.run("UPDATE conversations SET status = %s, ended_at = %s", [status, LATER])
        ended_at = look(db, conversation).ended_at
        assert db.value("SELECT %s = %s::timestamptz", [ended_at, LATER])
        db.run("UPDATE conversations SET ended_at = %s", [OLD])
        assert look(db, conversation).ended_at == ended_at


@pytest.mark.rule("VRM-11", "refuses")
def test_no_conversation_ends_before_it_began(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("conversations_ended_at_check", "23514"):
            talk(db, world.ann.character, world.bob, status="ended", started_at=LATER, ended_at=OLD)
        # Not even where the clock of the server was set back.
        conversation = talk(db, world.ann.character, world.bob, started_at="2100-01-01 00:00:00+00")
        with db.refused("conversations_ended_at_check", "23514"):
            db.run("UPDATE conversations SET status = 'ended', ended_at = %s WHERE id = %s", [OLD, conversation])
        db.run("UPDATE conversations SET status = 'ended' WHERE id = %s", [conversation])
    found = look(db, conversation)
    assert found.ended_at == found.started_at
    # Nor is it over without an end, should the trigger ever be missing.
    db.run("ALTER TABLE conversations DISABLE TRIGGER conversations_times")
    for status, ended_at in (("active", "now()"), ("ended", "NULL"), ("archived", "NULL")):
        with db.refused("conversations_ended_at_check", "23514"):
            db.run(
                "INSERT INTO conversations (character_id, user_id, status, ended_at)"
                f" VALUES (%s, %s, '{status}', {ended_at})",
                [world.ann.character, world.bob.id],
            )


# Whose it is


@pytest.mark.rule("VRM-11", "accepts")
def test_a_visitor_talks_through_a_service(db: Person, world: World) -> None:
    with db.as_service():
        conversation = talk(db, world.ann.character, None)
        message = say(db, conversation)
        (latest,) = db.rows("SELECT id, user_id FROM get_conversation_messages(%s)", [conversation])
    assert latest == (message, None)
    for user in (world.ann, world.bob):
        with db.as_user(user.sub):
            assert db.rows("SELECT id FROM conversations UNION SELECT id FROM messages") == []


@pytest.mark.rule("VRM-11", "refuses")
def test_a_visitor_cannot_talk_without_a_service(db: Person, world: World) -> None:
    for columns in ({"session_id": "visitor"}, {"user_id": world.bob.id}):
        with db.as_anon(), db.refused(sqlstate="42501"):
            insert(db, "conversations", character_id=world.ann.character, **columns)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.rows("SELECT id FROM conversations")
    # A user is no visitor.
    with db.as_user(world.bob.sub), db.refused(sqlstate="42501"):
        talk(db, world.ann.character, None)


@pytest.mark.rule("VRM-11", "refuses")
def test_a_new_conversation_needs_a_user_or_a_session(db: Person, world: World) -> None:
    for status in STATES:
        with db.as_service(), db.refused("conversations_session_id_check", "23514"):
            insert(db, "conversations", character_id=world.ann.character, status=status)
    with db.as_service():
        conversation = talk(db, world.ann.character, None)
        # Later both may be missing, as of a user who is gone.
        assert db.run("UPDATE conversations SET session_id = NULL WHERE id = %s", [conversation]) == 1


@pytest.mark.rule("VRM-11", "accepts")
def test_what_a_deleted_user_said_stays_without_them(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    archived = talk(db, world.ann.character, world.bob)
    for each in (conversation, archived):
        for _ in range(2):
            file = insert(db, "audio_files", storage_url="s3://hot/1.ogg", format="ogg", user_id=world.bob.id)
            say(db, each, audio_file_id=file)
    own = talk(db, world.bob.character, world.bob)
    say(db, own)
    db.run(
        "INSERT INTO archived_conversations SELECT id, character_id, user_id, session_id, 'archived', started_at,"
        " now(), 2, user_rating, feedback FROM conversations WHERE id = %s",
        [archived],
    )
    db.run(
        "INSERT INTO archived_messages (id, conversation_id, role, content, emotion, audio_file_id, metadata,"
        " created_at, token_count, user_id) SELECT id, conversation_id, role, content, emotion, audio_file_id,"
        " metadata, created_at, token_count, user_id FROM messages WHERE conversation_id = %s",
        [archived],
    )
    db.run("DELETE FROM conversations WHERE id = %s", [archived])
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.bob.id]) == 1
    assert db.rows("SELECT id, user_id FROM conversations") == [(conversation, None)]
    assert db.rows("SELECT conversation_id, user_id FROM messages") == [(conversation, None)] * 2
    assert db.rows("SELECT id, user_id FROM archived_conversations") == [(archived, None)]
    assert db.rows("SELECT conversation_id, user_id FROM archived_messages") == [(archived, None)] * 2
    assert db.rows("SELECT user_id FROM audio_files") == [(None,)] * 4
    unheard = "SELECT count(*) FROM {} WHERE audio_file_id IS NULL"
    assert (db.value(unheard.format("messages")), db.value(unheard.format("archived_messages"))) == (0, 0)


@pytest.mark.rule("VRM-11", "accepts")
def test_a_service_hands_the_conversation_of_a_visitor_to_the_user_they_were(db: Person, world: World) -> None:
    with db.as_service():
        conversation, other = (talk(db, world.ann.character, None) for _ in range(2))
        for each in (conversation, other):
            file = insert(db, "audio_files", storage_url="s3://hot/1.ogg", format="ogg")
            say(db, each, audio_file_id=file)
            say(db, each)
        db.run("UPDATE conversations SET user_id = %s WHERE id = %s", [world.bob.id, conversation])
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT id FROM conversations") == [(conversation,)]
        assert db.value("SELECT count(*) FROM messages") == 2
        heard = "SELECT count(*) FROM audio_files AS f JOIN messages AS m ON m.audio_file_id = f.id"
        assert (db.value(heard), db.value("SELECT count(*) FROM audio_files")) == (1, 1)
        say(db, conversation)
    assert db.value("SELECT count(*) FROM messages WHERE user_id IS NULL") == 2


@pytest.mark.rule("VRM-11", "refuses")
def test_a_conversation_never_goes_from_one_user_to_another(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    with db.as_service(), db.refused("conversations_user_check", "23514"):
        db.run("UPDATE conversations SET user_id = %s WHERE id = %s", [world.ann.id, conversation])
    with db.as_user(world.bob.sub):
        with db.refused("conversations_user_check", "23514"):
            db.run("UPDATE conversations SET user_id = %s", [world.ann.id])
        with db.refused(sqlstate="42501"):
            db.run("UPDATE conversations SET user_id = NULL, session_id = 'visitor'")
        with db.refused(sqlstate="42501"):
            talk(db, world.ann.character, world.ann)
        db.run("UPDATE conversations SET user_id = user_id, id = id, character_id = character_id, feedback = 'Good'")
    with db.as_service(), db.refused("conversations_user_id_fkey", "23503"):
        talk(db, world.ann.character, User(uuid4(), "auth0|nobody", world.ann.character))
    for change in ("id = gen_random_uuid()", f"character_id = '{world.bob.character}'"):
        for person in (db.as_user(world.bob.sub), db.as_service()):
            with person, db.refused("conversations_immutable_check", "23514"):
                db.run(f"UPDATE conversations SET {change}")


@pytest.mark.rule("VRM-11", "refuses")
def test_nobody_else_sees_or_changes_a_conversation(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    with db.as_user(world.ann.sub):
        assert db.rows("SELECT id FROM conversations") == []
        assert db.run("UPDATE conversations SET status = 'ended'") == 0
        with db.refused("conversations_pkey", "P0002"):
            db.rows("SELECT * FROM get_conversation_messages(%s)", [conversation])
    with db.as_user(world.bob.sub), db.refused(sqlstate="42501"):
        db.run("DELETE FROM conversations")
    assert look(db, conversation).status == "active"


# With whom


@pytest.mark.rule("VRM-11", "accepts")
@pytest.mark.parametrize("status", ["draft", "published", "archived"])
def test_one_talks_with_what_is_published_and_with_ones_own(db: Person, world: World, status: str) -> None:
    own = create(db, world.bob.id, status=status, slug="own")
    with db.as_user(world.bob.sub):
        conversations = [talk(db, character, world.bob) for character in (own, world.ann.character)]
        for conversation in conversations:
            say(db, conversation)
    with db.as_service():
        talk(db, own, world.bob)
    assert db.value("SELECT count(*) FROM messages WHERE user_id = %s", [world.bob.id]) == 2


@pytest.mark.rule("VRM-11", "refuses")
@pytest.mark.parametrize("status", ["draft", "archived"])
def test_a_character_of_another_that_is_not_published_is_like_a_missing_one(
    db: Person, world: World, status: str
) -> None:
    hidden = create(db, world.ann.id, status=status, slug="hidden")
    said = set()
    with db.as_user(world.bob.sub):
        for character in (hidden, uuid4()):
            with db.refused("conversations_character_id_fkey", "23503") as caught:
                talk(db, character, world.bob)
            diag = caught.value.diag
            said.add((diag.message_primary, diag.message_detail, diag.message_hint, diag.table_name))
    assert len(said) == 1
    with db.as_service():
        for user in (world.bob, None):
            with db.refused("conversations_character_check", "23514"):
                talk(db, hidden, user)
            # It may have been published then.
            talk(db, hidden, user, status="ended")
        with db.refused("conversations_character_id_fkey", "23503"):
            talk(db, uuid4(), world.bob)


@pytest.mark.rule("VRM-11", "accepts")
def test_a_conversation_goes_on_when_its_character_is_withdrawn(db: Person, world: World) -> None:
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob)
    db.run("UPDATE characters SET status = 'draft' WHERE id = %s", [world.ann.character])
    with db.as_user(world.bob.sub):
        say(db, conversation)
        db.run("UPDATE conversations SET status = 'ended', user_rating = 5")
    assert look(db, conversation).user_rating == 5


# What it holds


@pytest.mark.rule("VRM-11", "accepts")
@pytest.mark.parametrize("rating", [1, 1.0000001, 3.5, 5, None])
def test_a_rating_is_of_one_to_five(db: Person, world: World, rating: float | None) -> None:
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob)
        db.run("UPDATE conversations SET user_rating = 2, feedback = 'Hm'")
        db.run("UPDATE conversations SET status = 'ended', user_rating = %s", [rating])
        assert look(db, conversation).user_rating == rating
    assert talk(db, world.ann.character, world.bob, user_rating=rating)


@pytest.mark.rule("VRM-11", "refuses")
@pytest.mark.parametrize("rating", [0, 0.9999999, 5.0000001, -1, "NaN", "Infinity", "-Infinity"])
def test_any_other_rating_is_refused(db: Person, world: World, rating: float | str) -> None:
    talk(db, world.ann.character, world.bob)
    for person in (db.as_user(world.bob.sub), db.as_service()):
        with person:
            with db.refused("check_rating", "23514"):
                db.run("UPDATE conversations SET user_rating = %s", [rating])
            with db.refused("check_rating", "23514"):
                talk(db, world.ann.character, world.bob, user_rating=rating)


@pytest.mark.rule("VRM-11", "refuses")
def test_what_the_database_keeps_stays_true_whatever_is_sent(db: Person, world: World) -> None:
    with db.as_user(world.bob.sub):
        conversation = talk(db, world.ann.character, world.bob, started_at=OLD, message_count=99)
        first = look(db, conversation)
        assert (first.started_at, first.message_count) == (db.value("SELECT now()"), 0)
    for person in (db.as_user(world.bob.sub), db.as_service()):
        with person:
            db.run("UPDATE conversations SET started_at = %s, message_count = 99", [OLD])
            assert look(db, conversation) == first


@pytest.mark.rule("VRM-11", "refuses")
@pytest.mark.parametrize("column", ["character_id", "status", "started_at", "message_count"])
def test_what_every_conversation_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    with db.refused(sqlstate="23502") as caught:
        insert(db, "conversations", **{"character_id": world.ann.character, "user_id": world.bob.id, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("VRM-11", "refuses")
def test_a_count_of_messages_is_never_negative(db: Person, world: World) -> None:
    with db.refused("conversations_message_count_check", "23514"):
        talk(db, world.ann.character, world.bob, message_count=-1)


@pytest.mark.rule("VRM-11", "accepts")
def test_conversations_go_with_their_character(db: Person, world: World) -> None:
    conversation = talk(db, world.ann.character, world.bob)
    say(db, conversation)
    db.run("DELETE FROM characters WHERE id = %s", [world.ann.character])
    assert db.rows("SELECT id FROM conversations UNION ALL SELECT id FROM messages") == []
