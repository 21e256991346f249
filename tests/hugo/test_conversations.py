"""Conversations: their ids, their states, what is kept of them, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.hugo.world import World, begin, build_world, say
from tests.people import Person, blocked

OPEN_CHECK = "messages_conversation_open_check"


def state(db: Person, conversation: UUID) -> str:
    return db.value("SELECT status FROM conversations WHERE id = %s", [conversation])


def close(db: Person, conversation: UUID) -> Any:
    return db.row("SELECT * FROM close_conversation(%s)", [conversation])


@pytest.fixture(params=["user", "service"])
def actor(request: pytest.FixtureRequest, db: Person, world: World) -> Callable[[], AbstractContextManager[Person]]:
    """Ann herself, or the service on her behalf: what holds for all holds for both."""
    return db.as_service if request.param == "service" else lambda: db.as_user(world.ann)


@pytest.mark.rule("HUGO-16", "accepts")
@pytest.mark.parametrize("variant", "89ab")
def test_a_session_id_is_a_random_uuid(db: Person, world: World, variant: str) -> None:
    session = UUID(f"01234567-89ab-4def-{variant}123-456789abcdef")
    with db.as_user(world.ann):
        conversation = begin(db, world.ann, world.app, session_id=session)
        begin(db, world.ann, world.app, session_id=uuid4())
    assert db.value("SELECT session_id FROM conversations WHERE id = %s", [conversation]) == session


@pytest.mark.rule("HUGO-16", "refuses")
@pytest.mark.parametrize(
    "session",
    [f"01234567-89ab-{version}def-8123-456789abcdef" for version in "012356789abcdef"]
    + [f"01234567-89ab-4def-{variant}123-456789abcdef" for variant in "01234567cdef"]
    + ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
)
def test_another_session_id_is_refused(db: Person, world: World, session: str) -> None:
    with db.as_user(world.ann), db.refused("conversations_session_id_check", "23514"):
        begin(db, world.ann, world.app, session_id=session)


@pytest.mark.rule("HUGO-16", "refuses")
def test_the_client_gives_each_conversation_its_own_session_id(db: Person, world: World) -> None:
    session = uuid4()
    with db.as_user(world.ann):
        begin(db, world.ann, world.app, session_id=session)
        with db.refused("conversations_session_id_idx", "23505"):
            begin(db, world.ann, world.app, session_id=session)
        with db.refused(sqlstate="23502"):
            db.run("INSERT INTO conversations (user_id, app_id) VALUES (%s, %s)", [world.ann, world.app])


@pytest.mark.rule("HUGO-16", "accepts")
def test_creating_twice_is_harmless(db: Person, world: World) -> None:
    values = {"session": uuid4(), "user": world.ann, "app": world.app}
    upsert = (
        "INSERT INTO conversations (session_id, user_id, app_id, title, message_count)"
        " VALUES (%(session)s, %(user)s, %(app)s, 'Mine', 9) ON CONFLICT (session_id) DO UPDATE"
        " SET title = excluded.title, message_count = excluded.message_count, user_id = excluded.user_id"
        " RETURNING id, message_count"
    )
    with db.as_user(world.ann):
        first = db.row(upsert, values)
        say(db, first.id)
        again = db.row(upsert, values)
    assert (first.message_count, again.message_count) == (0, 1)
    assert again.id == first.id


KEPT = {
    "message_count": 99,
    "activated_at": "2020-01-01T00:00:00Z",
    "created_at": "2020-01-01T00:00:00Z",
    "last_message_at": "2099-01-01T00:00:00Z",
}


@pytest.mark.rule("HUGO-17", "accepts")
@pytest.mark.parametrize("column", KEPT)
def test_what_the_database_keeps_is_kept_whatever_a_user_sends(db: Person, world: World, column: str) -> None:
    with db.as_user(world.ann):
        honest = begin(db, world.ann, world.app)
        liar = begin(db, world.ann, world.app, **{column: KEPT[column]})
        values = [db.value(f"SELECT {column} FROM conversations WHERE id = %s", [row]) for row in (honest, liar)]
        assert values[0] == values[1]
        say(db, liar)
        before = db.row("SELECT * FROM conversations WHERE id = %s", [liar])
        db.run(f"UPDATE conversations SET title = title, {column} = %s WHERE id = %s", [KEPT[column], liar])
        assert db.row("SELECT * FROM conversations WHERE id = %s", [liar]) == before


@pytest.mark.rule("HUGO-17", "accepts")
def test_the_service_imports_times_but_no_counts(db: Person, world: World) -> None:
    with db.as_service():
        conversation = begin(db, world.ann, world.app, **KEPT)
        imported = db.row(
            "SELECT message_count, activated_at, created_at = '2020-01-01Z' AS created,"
            " last_message_at = '2099-01-01Z' AS latest FROM conversations WHERE id = %s",
            [conversation],
        )
        assert imported == (0, None, True, True)
        db.run("UPDATE conversations SET message_count = 5, created_at = now() WHERE id = %s", [conversation])
    assert db.row("SELECT message_count, created_at = '2020-01-01Z' FROM conversations") == (0, True)


@pytest.mark.rule("HUGO-17", "refuses")
def test_a_count_is_never_negative(db: Person, world: World) -> None:
    conversation = begin(db, world.ann, world.app)
    with db.refused("conversations_message_count_check", "23514"):
        db.run("UPDATE conversations SET message_count = -1 WHERE id = %s", [conversation])


CREATED = "2020-01-01 00:00:00+00"


@pytest.mark.rule("HUGO-17", "accepts")
def test_an_end_is_after_the_beginning(db: Person, world: World) -> None:
    with db.as_service():
        end = "2020-01-01 00:00:00.000001+00"
        conversation = begin(db, world.ann, world.app, created_at=CREATED, closed_at=end)
    assert state(db, conversation) == "closed"


@pytest.mark.rule("HUGO-17", "refuses")
@pytest.mark.parametrize("end", [CREATED, "2019-12-31 23:59:59.999999+00", "-infinity"])
def test_an_end_before_the_beginning_is_refused(db: Person, world: World, end: str) -> None:
    with db.as_service():
        with db.refused("conversations_closed_at_check", "23514"):
            begin(db, world.ann, world.app, created_at=CREATED, closed_at=end)
        conversation = begin(db, world.ann, world.app, created_at=CREATED)
        say(db, conversation)
        with db.refused("conversations_closed_at_check"):
            db.run("UPDATE conversations SET closed_at = %s WHERE id = %s", [end, conversation])


@pytest.mark.rule("HUGO-17", "accepts")
def test_a_conversation_ends_now_whatever_a_user_says(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        conversation = begin(db, world.ann, world.app)
        say(db, conversation)
        end = (
            "UPDATE conversations SET closed_at = '2099-01-01' RETURNING closed_at BETWEEN now() AND clock_timestamp()"
        )
        assert db.value(end) is True


def reach(db: Person, world: World, wanted: str) -> UUID:
    """Create a conversation in the state wanted."""
    conversation = begin(db, world.ann, world.app)
    if wanted != "created":
        say(db, conversation)
    if wanted == "closed":
        close(db, conversation)
    assert state(db, conversation) == wanted
    return conversation


# How one could try to get there, whatever the state.
STEPS: dict[str, list[Callable[[Person, UUID], Any]]] = {
    "created": [
        lambda db, c: db.run("UPDATE conversations SET closed_at = NULL, activated_at = NULL WHERE id = %s", [c]),
        lambda db, c: db.run("UPDATE conversations SET closed_at = NULL, message_count = 0 WHERE id = %s", [c]),
    ],
    "active": [lambda db, c: say(db, c), lambda db, c: say(db, c, "Hello", "assistant")],
    "closed": [
        lambda db, c: close(db, c),
        lambda db, c: db.run("UPDATE conversations SET closed_at = '2098-01-01' WHERE id = %s", [c]),
    ],
}

# Every pair of states: the state that results, or the name of the rule that refuses.
TRANSITIONS = {
    ("created", "created"): "created",
    ("created", "active"): "active",
    ("created", "closed"): "conversations_closed_active_check",
    ("active", "created"): "active",
    ("active", "active"): "active",
    ("active", "closed"): "closed",
    ("closed", "created"): "conversations_reopen_check",
    ("closed", "active"): OPEN_CHECK,
    ("closed", "closed"): "conversations_closed_at_final_check",
}


@pytest.mark.rule("HUGO-18", "accepts")
@pytest.mark.rule("HUGO-18", "refuses")
@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize(("start", "wanted"), TRANSITIONS)
def test_every_pair_of_states(
    db: Person,
    world: World,
    actor: Callable[[], AbstractContextManager[Person]],
    start: str,
    wanted: str,
    step: int,
) -> None:
    expected = TRANSITIONS[start, wanted]
    with actor():
        conversation = reach(db, world, start)
        if expected in STEPS:
            STEPS[wanted][step](db, conversation)
            assert state(db, conversation) == expected
        else:
            with db.refused(expected, "23514"):
                STEPS[wanted][step](db, conversation)
            assert state(db, conversation) == start


@pytest.mark.rule("HUGO-18", "accepts")
def test_the_whole_row_may_be_sent_back_in_every_state(
    db: Person, world: World, actor: Callable[[], AbstractContextManager[Person]]
) -> None:
    with actor():
        for wanted in ("created", "active", "closed"):
            conversation = reach(db, world, wanted)
            row = db.row("SELECT * FROM conversations WHERE id = %s", [conversation])
            columns = row._asdict()
            del columns["status"]
            settings = ", ".join(f"{name} = %({name})s" for name in columns)
            assert db.run(f"UPDATE conversations SET {settings} WHERE id = %(id)s", columns) == 1
            assert db.row("SELECT * FROM conversations WHERE id = %s", [conversation]) == row


@pytest.mark.rule("HUGO-18", "accepts")
def test_an_active_conversation_stays_active_without_its_messages(
    db: Person, world: World, actor: Callable[[], AbstractContextManager[Person]]
) -> None:
    with actor():
        conversation = reach(db, world, "active")
        assert db.run("DELETE FROM messages") == 1
        row = db.row("SELECT status, message_count, activated_at IS NOT NULL AS active FROM conversations")
        assert row == ("active", 0, True)
        close(db, conversation)
        assert state(db, conversation) == "closed"


@pytest.mark.rule("HUGO-18", "refuses")
def test_no_column_of_a_state_is_written_directly(db: Person, world: World) -> None:
    with db.as_service(), db.refused(sqlstate="428C9"):
        begin(db, world.ann, world.app, status="closed")


@pytest.mark.rule("HUGO-18", "refuses")
def test_users_begin_conversations_open(db: Person, world: World) -> None:
    with db.as_user(world.ann), db.refused("conversations_insert_open_check", "42501"):
        begin(db, world.ann, world.app, closed_at="2099-01-01")
    with db.as_service():
        conversation = begin(db, world.ann, world.app, closed_at="2099-01-01")
        with db.refused(OPEN_CHECK):
            say(db, conversation)
    active = db.row(
        "SELECT status, activated_at = created_at AS active FROM conversations WHERE id = %s", [conversation]
    )
    assert active == ("closed", True)


@pytest.mark.rule("HUGO-18", "refuses")
def test_one_message_into_a_closed_conversation_spoils_the_whole_statement(db: Person, world: World) -> None:
    with db.as_user(world.ann):
        closed, active = reach(db, world, "closed"), reach(db, world, "active")
        with db.refused(OPEN_CHECK):
            db.run(
                "INSERT INTO messages (conversation_id, role, content)"
                " SELECT c.id, 'user', 'Hello' FROM unnest(%s::uuid[]) AS c (id)",
                [[active, closed]],
            )
        with db.refused(OPEN_CHECK):
            db.run(
                "INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'Hello')"
                " ON CONFLICT (id) DO UPDATE SET content = excluded.content",
                [closed],
            )
    assert db.value("SELECT count(*) FROM messages") == 2


@pytest.mark.rule("HUGO-18", "refuses")
@pytest.mark.parametrize("column", ["id", "session_id", "user_id", "app_id"])
def test_whose_conversation_it_is_never_changes(
    db: Person, world: World, actor: Callable[[], AbstractContextManager[Person]], column: str
) -> None:
    values = {"id": uuid4(), "session_id": uuid4(), "user_id": world.bob, "app_id": uuid4()}
    with actor():
        conversation = begin(db, world.ann, world.app)
        with db.refused("conversations_immutable_check", "23514"):
            db.run(f"UPDATE conversations SET {column} = %s WHERE id = %s", [values[column], conversation])


@pytest.mark.parametrize(
    "column", ["session_id", "user_id", "app_id", "message_count", "created_at", "last_message_at"]
)
def test_what_every_conversation_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    with db.refused(sqlstate="23502") as caught:
        begin(db, world.ann, world.app, **{column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.parametrize("column", ["user_id", "app_id"])
def test_a_conversation_is_between_a_user_and_an_app(db: Person, world: World, column: str) -> None:
    columns: dict[str, Any] = {"session_id": uuid4(), "user_id": world.ann, "app_id": world.app, column: uuid4()}
    with db.as_service(), db.refused(f"conversations_{column}_fkey", "23503"):
        begin(db, columns["user_id"], columns["app_id"])


@pytest.fixture
def talk(connect: Callable[[], Person]) -> tuple[Person, Person, UUID, World]:
    """Two sessions, and a conversation in which nothing was said yet."""
    first, second = connect(), connect()
    world = build_world(first)
    return first, second, begin(first, world.ann, world.app), world


SAY = "INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'Hello')"
CLOSE = "SELECT close_conversation(%s)"


@pytest.mark.rule("HUGO-18", "accepts")
@pytest.mark.parametrize("said_before", [0, 1])
def test_a_message_that_comes_before_the_close_counts(
    talk: tuple[Person, Person, UUID, World], said_before: int
) -> None:
    speaker, closer, conversation, world = talk
    for _ in range(said_before):
        say(speaker, conversation)
    speaker.run("BEGIN")
    with speaker.as_user(world.ann):
        say(speaker, conversation)
        with blocked(closer, speaker, CLOSE, [conversation]) as closing:
            speaker.run("COMMIT")
    assert closing.result() == 1
    row = speaker.row("SELECT status, message_count FROM conversations")
    assert row == ("closed", said_before + 1)


@pytest.mark.rule("HUGO-18", "refuses")
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_a_message_that_comes_after_the_close_is_refused(talk: tuple[Person, Person, UUID, World], level: str) -> None:
    speaker, closer, conversation, world = talk
    say(speaker, conversation)
    speaker.run(f"BEGIN ISOLATION LEVEL {level}")
    speaker.run("SELECT 1 FROM users")
    closer.run("BEGIN")
    closer.run(CLOSE, [conversation])
    with speaker.as_user(world.ann):
        with blocked(speaker, closer, SAY, [conversation]) as saying:
            closer.run("COMMIT")
        error = saying.exception()
        assert isinstance(error, psycopg.Error)
        assert (error.diag.constraint_name or error.sqlstate) == (OPEN_CHECK if level == "READ COMMITTED" else "40001")
        speaker.run("ROLLBACK")
    assert speaker.row("SELECT status, message_count FROM conversations") == ("closed", 1)
    assert speaker.value("SELECT count(*) FROM messages") == 1


@pytest.mark.rule("HUGO-18", "refuses")
def test_two_sessions_close_a_conversation_once(talk: tuple[Person, Person, UUID, World]) -> None:
    first, second, conversation, _ = talk
    say(first, conversation)
    first.run("BEGIN")
    first.run(CLOSE, [conversation])
    with blocked(second, first, CLOSE, [conversation]) as closing:
        first.run("COMMIT")
    error = closing.exception()
    assert isinstance(error, psycopg.Error)
    assert error.diag.constraint_name == "conversations_closed_at_final_check"


@pytest.mark.rule("HUGO-20", "accepts")
def test_the_owner_closes_a_conversation(
    db: Person, world: World, actor: Callable[[], AbstractContextManager[Person]]
) -> None:
    with actor():
        conversation = reach(db, world, "active")
        other = reach(db, world, "active")
        closed = close(db, conversation)
    assert (closed.id, closed.status) == (conversation, "closed")
    assert closed.closed_at == db.value("SELECT closed_at FROM conversations WHERE id = %s", [conversation])
    assert state(db, other) == "active"


@pytest.mark.rule("HUGO-20", "refuses")
def test_nobody_closes_a_conversation_of_another(db: Person, world: World) -> None:
    conversation = reach(db, world, "active")
    with db.as_user(world.bob):
        messages = []
        for target in (conversation, uuid4(), None):
            with db.refused(sqlstate="P0002") as caught:
                close(db, target)  # type: ignore[arg-type]
            messages.append(str(caught.value).replace(str(target), "…"))
        assert messages[0] == messages[1]
    with db.as_anon(), db.refused(sqlstate="42501"):
        close(db, conversation)
    assert state(db, conversation) == "active"


def last_heard(db: Person, conversation: UUID, ago: str) -> UUID:
    db.run("UPDATE conversations SET last_message_at = now() - %s::interval WHERE id = %s", [ago, conversation])
    return conversation


@pytest.mark.rule("HUGO-20", "accepts")
def test_thirty_days_without_a_message_close_a_conversation(db: Person, world: World) -> None:
    quiet = [last_heard(db, reach(db, world, "active"), ago) for ago in ("30 days 1 microsecond", "400 days")]
    db.run("DELETE FROM messages WHERE conversation_id = %s", [quiet[1]])
    with db.as_service():
        assert db.value("SELECT close_inactive_conversations()") == 2
        assert db.value("SELECT close_inactive_conversations()") == 0
    assert [state(db, conversation) for conversation in quiet] == ["closed", "closed"]


@pytest.mark.rule("HUGO-20", "refuses")
def test_other_conversations_stay_as_they_are(db: Person, world: World) -> None:
    recent = last_heard(db, reach(db, world, "active"), "30 days")
    created = last_heard(db, reach(db, world, "created"), "400 days")
    closed = last_heard(db, reach(db, world, "closed"), "400 days")
    before = db.value("SELECT closed_at FROM conversations WHERE id = %s", [closed])
    with db.as_service():
        assert db.value("SELECT close_inactive_conversations()") == 0
    assert [state(db, conversation) for conversation in (recent, created)] == ["active", "created"]
    assert db.value("SELECT closed_at FROM conversations WHERE id = %s", [closed]) == before


@pytest.mark.rule("HUGO-20", "refuses")
def test_users_do_not_run_the_job(db: Person, world: World) -> None:
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run("SELECT close_inactive_conversations()")


@pytest.mark.rule("HUGO-20", "refuses")
def test_the_job_leaves_a_conversation_in_which_somebody_is_writing(talk: tuple[Person, Person, UUID, World]) -> None:
    speaker, job, conversation, _ = talk
    say(speaker, conversation)
    last_heard(speaker, conversation, "31 days")
    speaker.run("BEGIN")
    say(speaker, conversation)
    assert job.value("SELECT close_inactive_conversations()") == 0
    speaker.run("COMMIT")
    assert job.value("SELECT close_inactive_conversations()") == 0
    assert state(job, conversation) == "active"


@pytest.mark.rule("HUGO-18", "accepts")
def test_a_client_may_send_a_closed_conversation_back_by_upsert(db: Person, world: World) -> None:
    names = ["id", "session_id", "user_id", "app_id", "title", "message_count", "created_at", "last_message_at"]
    columns = ", ".join([*names, "closed_at", "activated_at"])
    conversation = begin(db, world.ann, world.app, created_at=CREATED)
    say(db, conversation)
    db.run("UPDATE conversations SET closed_at = '2025-01-05' WHERE id = %s", [conversation])
    before = db.row("SELECT * FROM conversations WHERE id = %s", [conversation])
    with db.as_user(world.ann):
        sent = db.row(f"SELECT {columns} FROM conversations")
        marks = ", ".join(["%s"] * len(sent))
        changes = ", ".join(f"{name.strip()} = excluded.{name.strip()}" for name in columns.split(","))
        upsert = f"INSERT INTO conversations ({columns}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {changes}"
        assert db.run(upsert, list(sent)) == 1
        with db.refused("conversations_closed_at_final_check"):
            db.run(upsert, list(sent._replace(closed_at=sent.closed_at + timedelta(days=1))))
    assert db.row("SELECT * FROM conversations WHERE id = %s", [conversation]) == before
