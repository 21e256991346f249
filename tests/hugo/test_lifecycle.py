"""What becomes of old conversations, and what goes with a user, a conversation, an app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.hugo.world import World, begin, build_world, past_conversation, say
from tests.people import Person, blocked, insert

ARCHIVE = "SELECT archive_old_conversations()"
JUST_MORE = "1 microsecond"


def whereabouts(db: Person, conversation: UUID) -> str:
    """Whether a conversation is live, archived or gone; its two messages are where it is."""
    found = db.row(
        "SELECT (SELECT count(*) FROM conversations WHERE id = %(id)s) AS live,"
        " (SELECT count(*) FROM messages WHERE conversation_id = %(id)s) AS live_messages,"
        " (SELECT count(*) FROM archived_conversations WHERE id = %(id)s) AS archived,"
        " (SELECT count(*) FROM archived_messages WHERE conversation_id = %(id)s) AS archived_messages",
        {"id": conversation},
    )
    return {(1, 2, 0, 0): "live", (0, 0, 1, 2): "archived", (0, 0, 0, 0): "gone"}[tuple(found)]


def keep(db: Person, user: UUID, days: int) -> None:
    db.run("UPDATE users SET data_retention_days = %s WHERE id = %s", [days, user])


def content(db: Person, table: str, **where: Any) -> list[dict[str, Any]]:
    """The rows of a table as JSON objects, without the mark of the archive."""
    ((column, value),) = where.items()
    return [
        row.json
        for row in db.rows(
            f"SELECT to_jsonb(t) - 'archived_at' AS json FROM {table} AS t WHERE {column} = %s ORDER BY id", [value]
        )
    ]


# Archiving


@pytest.mark.rule("HUGO-34", "accepts")
@pytest.mark.rule("HUGO-34", "refuses")
@pytest.mark.parametrize(
    ("retention", "closed", "outcome"),
    [
        (30, "31 days", "live"),
        (30, f"90 days {JUST_MORE}", "gone"),
        (364, "90 days", "live"),
        (364, f"90 days {JUST_MORE}", "gone"),
        (365, "90 days", "live"),
        (365, f"90 days {JUST_MORE}", "archived"),
        (365, "365 days", "archived"),
        (365, f"365 days {JUST_MORE}", "gone"),
        (1825, "1825 days", "archived"),
        (1825, f"1825 days {JUST_MORE}", "gone"),
    ],
)
def test_old_conversations_are_archived_or_deleted(
    db: Person, world: World, retention: int, closed: str, outcome: str
) -> None:
    keep(db, world.ann, retention)
    conversation = past_conversation(db, world.ann, world.app, closed)
    with db.as_service():
        for _ in range(2):
            db.run(ARCHIVE)
            assert whereabouts(db, conversation) == outcome


@pytest.mark.rule("HUGO-34", "refuses")
def test_what_is_open_is_neither_archived_nor_deleted(db: Person, world: World) -> None:
    keep(db, world.bob, 30)
    for user in (world.ann, world.bob):
        times = {name: db.value("SELECT now() - interval '400 days'") for name in ("created_at", "last_message_at")}
        begin(db, user, world.app, **times)
        say(db, begin(db, user, world.app, **times), created_at=times["created_at"])
    db.run(ARCHIVE)
    assert db.rows("SELECT status, count(*) FROM conversations GROUP BY status ORDER BY status") == [
        ("active", 2),
        ("created", 2),
    ]


@pytest.mark.rule("HUGO-34", "accepts")
def test_the_archive_keeps_every_column(db: Person, world: World) -> None:
    conversation = past_conversation(db, world.ann, world.app, "100 days")
    db.run(
        "UPDATE messages SET model = 'm', confidence_score = 0.5, intimacy_code_reference = 'p',"
        " generation_time_ms = 1, tokens_used = 2"
    )
    before = content(db, "conversations", id=conversation), content(db, "messages", conversation_id=conversation)
    assert all(value is not None for (row, *_) in before for value in row.values())
    with db.as_service():
        db.run(ARCHIVE)
    after = (
        content(db, "archived_conversations", id=conversation),
        content(db, "archived_messages", conversation_id=conversation),
    )
    assert after == before
    assert db.value("SELECT archived_at = now() FROM archived_conversations")


@pytest.mark.rule("HUGO-34", "accepts")
def test_a_backlog_beyond_one_batch_is_archived_at_once(db: Person, world: World) -> None:
    db.run(
        "INSERT INTO conversations (session_id, user_id, app_id, created_at, closed_at)"
        " SELECT gen_random_uuid(), %s, %s, now() - interval '101 days', now() - interval '100 days'"
        " FROM generate_series(1, 1001)",
        [world.ann, world.app],
    )
    db.run(ARCHIVE)
    assert db.value("SELECT count(*) FROM conversations") == 0
    assert db.value("SELECT count(*) FROM archived_conversations") == 1001


@pytest.mark.rule("HUGO-34", "refuses")
def test_a_retention_shortened_later_empties_the_archive(db: Person, world: World) -> None:
    old, young, others = (
        past_conversation(db, user, world.app, closed)
        for user, closed in ((world.ann, "201 days"), (world.ann, "199 days"), (world.bob, "201 days"))
    )
    db.run(ARCHIVE)
    with db.as_user(world.ann):
        keep(db, world.ann, 200)
    db.run(ARCHIVE)
    assert [whereabouts(db, conversation) for conversation in (old, young, others)] == ["gone", "archived", "archived"]


@pytest.mark.rule("HUGO-34", "accepts")
def test_archiving_detaches_memories_and_keeps_them(db: Person, world: World) -> None:
    conversation = past_conversation(db, world.ann, world.app, "100 days")
    insert(
        db,
        "user_memories",
        user_id=world.ann,
        app_id=world.app,
        conversation_id=conversation,
        memory_type="insight",
        content="Likes walks",
    )
    with db.as_service():
        db.run(ARCHIVE)
    assert db.row("SELECT content, conversation_id FROM user_memories") == ("Likes walks", None)


@pytest.mark.rule("HUGO-34", "accepts")
def test_the_archive_belongs_to_its_user_who_may_erase_it(db: Person, world: World) -> None:
    first, second, others = (
        past_conversation(db, user, world.app, "100 days") for user in (world.ann, world.ann, world.bob)
    )
    db.run(ARCHIVE)
    with db.as_user(world.ann):
        assert {row.id for row in db.rows("SELECT id FROM archived_conversations")} == {first, second}
        assert {row.conversation_id for row in db.rows("SELECT conversation_id FROM archived_messages")} == {
            first,
            second,
        }
        assert db.run("DELETE FROM archived_messages WHERE conversation_id = %s", [second]) == 2
        assert db.run("DELETE FROM archived_conversations") == 2
    assert [whereabouts(db, conversation) for conversation in (first, second, others)] == ["gone", "gone", "archived"]


@pytest.mark.rule("HUGO-34", "refuses")
@pytest.mark.parametrize("table", ["archived_conversations", "archived_messages"])
def test_the_archive_is_closed_to_others_and_to_changes(db: Person, world: World, table: str) -> None:
    past_conversation(db, world.bob, world.app, "100 days")
    db.run(ARCHIVE)
    with db.as_user(world.ann):
        assert db.rows(f"SELECT id FROM {table}") == []
        assert db.run(f"DELETE FROM {table}") == 0
    with db.as_user(world.bob):
        for sql in (f"UPDATE {table} SET app_id = app_id", f"INSERT INTO {table} (id) VALUES (NULL)", ARCHIVE):
            with db.refused(sqlstate="42501"):
                db.run(sql)
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(f"SELECT id FROM {table}")


@pytest.mark.rule("HUGO-34", "refuses")
def test_archived_messages_belong_to_the_owner_of_their_conversation(db: Person, world: World) -> None:
    past_conversation(db, world.ann, world.app, "100 days")
    db.run(ARCHIVE)
    with db.as_service(), db.refused("archived_messages_conversation_id_fkey"):
        db.run("UPDATE archived_messages SET user_id = %s", [world.bob])
    with db.as_service(), db.refused("archived_conversations_user_id_fkey"):
        db.run("DELETE FROM archived_messages")
        db.run("UPDATE archived_conversations SET user_id = id")


# The jobs meet a user


@pytest.mark.rule("HUGO-34", "accepts")
def test_what_a_user_is_deleting_does_not_come_back_in_the_archive(connect: Callable[[], Person]) -> None:
    user, job = connect(), connect()
    world = build_world(user)
    first, second = (past_conversation(user, world.ann, world.app, "100 days", messages=3) for _ in range(2))
    with user.as_user(world.ann):
        user.run("BEGIN")
        assert user.run("DELETE FROM messages WHERE conversation_id = %s AND content = 'Message 0'", [first]) == 1
        assert user.run("DELETE FROM conversations WHERE id = %s", [second]) == 1
        job.run(ARCHIVE)
        assert job.value("SELECT count(*) FROM archived_conversations") == 0
        user.run("COMMIT")
    job.run(ARCHIVE)
    assert job.rows("SELECT id, message_count FROM archived_conversations") == [(first, 2)]
    assert job.rows("SELECT content FROM archived_messages ORDER BY content") == [("Message 1",), ("Message 2",)]


@pytest.mark.rule("HUGO-34", "accepts")
def test_the_job_gives_way_to_a_user_who_waits_for_it(connect: Callable[[], Person]) -> None:
    job, user, other = connect(), connect(), connect()
    world = build_world(job)
    conversation = past_conversation(job, world.ann, world.app, "100 days")
    first, second = (row.id for row in job.rows("SELECT id FROM messages ORDER BY id"))
    with other.conn.transaction():
        other.run("SELECT 1 FROM messages WHERE id = %s FOR UPDATE", [second])
        # The user has the first message and waits for the second; the job waits for the first, and would be waited for
        # by the user, who has to count the conversation's messages down.
        with blocked(user, other, "DELETE FROM messages WHERE id = ANY(%s)", [[first, second]]) as deletion:
            job.run(ARCHIVE)
            assert whereabouts(job, conversation) == "live"
            other.conn.execute("ROLLBACK")
            assert deletion.result(timeout=30) == 2
    job.run(ARCHIVE)
    assert job.row("SELECT id, message_count FROM archived_conversations") == (conversation, 0)
    assert job.value("SELECT count(*) FROM archived_messages") == 0


@pytest.mark.rule("HUGO-34", "refuses")
@pytest.mark.parametrize("retention", [364, 365])
def test_who_deletes_while_the_job_runs_waits_and_finds_nothing(connect: Callable[[], Person], retention: int) -> None:
    user, job = connect(), connect()
    world = build_world(user)
    keep(user, world.ann, retention)
    for victim in ("messages WHERE conversation_id", "conversations WHERE id"):
        conversation = past_conversation(user, world.ann, world.app, "100 days")
        job.run("BEGIN")
        job.run(ARCHIVE)
        with blocked(user, job, f"DELETE FROM {victim} = %s", [conversation]) as outcome:
            job.run("COMMIT")
        assert outcome.result() == 0
        assert whereabouts(job, conversation) == ("gone" if retention < 365 else "archived")


@pytest.mark.rule("HUGO-34", "refuses")
def test_a_conversation_is_not_closed_while_a_message_arrives(connect: Callable[[], Person]) -> None:
    user, job = connect(), connect()
    world = build_world(user)
    past = user.value("SELECT now() - interval '31 days'")
    conversation = begin(user, world.ann, world.app, created_at=past, last_message_at=past)
    say(user, conversation, created_at=past)
    close, message = "SELECT close_inactive_conversations()", "INSERT INTO messages (conversation_id, role, content)"
    # The job comes first and the message is refused; that undone, the message comes first and nothing is closed.
    job.run("BEGIN")
    assert job.value(close) == 1
    with blocked(user, job, f"{message} VALUES (%s, 'user', 'Late')", [conversation]) as outcome:
        job.run("COMMIT")
    with user.refused("messages_conversation_open_check"):
        outcome.result()
    conversation = begin(user, world.ann, world.app, created_at=past, last_message_at=past)
    say(user, conversation, created_at=past)
    user.run("BEGIN")
    say(user, conversation)
    assert job.value(close) == 0
    user.run("COMMIT")
    assert job.value(close) == 0
    assert job.value("SELECT status FROM conversations WHERE id = %s", [conversation]) == "active"


# What goes with what


def furnish(db: Person, user: UUID, app: UUID) -> UUID:
    """Give a user something in every table, and return a live conversation with a message and a memory."""
    insert(db, "user_progress", user_id=user, app_id=app)
    past_conversation(db, user, app, "100 days")
    db.run(ARCHIVE)
    past_conversation(db, user, app, "10 days")
    begin(db, user, app)
    conversation = begin(db, user, app)
    say(db, conversation)
    for attached in (conversation, None):
        insert(
            db,
            "user_memories",
            user_id=user,
            app_id=app,
            conversation_id=attached,
            memory_type="insight",
            content="Likes walks",
        )
    return conversation


def traces(db: Person, user: UUID) -> dict[str, int]:
    """How many rows of each table name the user in any column, asked of the catalog."""
    columns = db.rows(
        "SELECT c.relname AS table, a.attname AS column FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.atttypid = 'uuid'::regtype"
        " AND a.attnum > 0 AND NOT a.attisdropped",
        [db.schema],
    )
    found: dict[str, int] = {}
    for table, column in columns:
        if column == "user_id" or table == "users":
            rows = db.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", [user])
            found[table] = found.get(table, 0) + rows
        else:
            assert db.value(f"SELECT count(*) FROM {table} WHERE {column} = %s", [user]) == 0, (table, column)
    return found


@pytest.mark.rule("HUGO-35", "accepts")
def test_nothing_of_a_deleted_user_remains(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        furnish(db, user, world.app)
    before = traces(db, world.ann)
    assert len(before) >= 7 and all(before.values()), "a table that names users has no row of this one: add it above"
    others = traces(db, world.bob)
    with db.as_service():
        assert db.run("DELETE FROM users WHERE id = %s", [world.ann]) == 1
    assert not any(traces(db, world.ann).values())
    assert traces(db, world.bob) == others


@pytest.mark.rule("HUGO-35", "refuses")
def test_a_user_does_not_delete_users(db: Person, world: World) -> None:
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run("DELETE FROM users WHERE id = %s", [world.ann])
    assert traces(db, world.ann)["users"] == 1


@pytest.mark.rule("HUGO-35", "accepts")
def test_a_deleted_conversation_takes_its_messages_and_leaves_its_memories(db: Person, world: World) -> None:
    conversation = furnish(db, world.ann, world.app)
    others = db.value("SELECT count(*) FROM messages WHERE conversation_id <> %s", [conversation])
    with db.as_user(world.ann):
        assert db.run("DELETE FROM conversations WHERE id = %s", [conversation]) == 1
    assert db.value("SELECT count(*) FROM messages") == others
    assert db.rows("SELECT user_id, conversation_id FROM user_memories") == [(world.ann, None)] * 2


@pytest.mark.rule("HUGO-35", "accepts")
def test_an_app_that_nobody_uses_can_be_deleted(db: Person, world: World) -> None:
    with db.as_service():
        assert db.run("DELETE FROM apps WHERE id = %s", [world.app]) == 1


@pytest.mark.rule("HUGO-35", "refuses")
@pytest.mark.parametrize("table", ["conversations", "archived_conversations", "user_progress", "user_memories"])
def test_an_app_in_use_cannot_be_deleted(db: Person, world: World, table: str) -> None:
    furnish(db, world.ann, world.app)
    for other in ("conversations", "archived_conversations", "user_progress", "user_memories"):
        if other != table:
            db.run(f"DELETE FROM {other}")
    with db.as_service(), db.refused(f"{table}_app_id_fkey", "23503"):
        db.run("DELETE FROM apps WHERE id = %s", [world.app])


@pytest.mark.rule("HUGO-35", "refuses")
def test_nothing_arrives_for_a_user_who_is_being_deleted(connect: Callable[[], Person]) -> None:
    service, user = connect(), connect()
    world = build_world(service)
    begin(service, world.ann, world.app)
    for sql, rule in (
        (
            "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'Late' FROM conversations",
            "messages_conversation_id_fkey",
        ),
        (
            "INSERT INTO conversations (session_id, user_id, app_id) SELECT gen_random_uuid(), user_id, app_id"
            " FROM conversations",
            "conversations_user_id_fkey",
        ),
        (
            "INSERT INTO user_progress (user_id, app_id) SELECT user_id, app_id FROM conversations",
            "user_progress_user_id_fkey",
        ),
    ):
        service.run("BEGIN")
        service.run("DELETE FROM users WHERE id = %s", [world.ann])
        with blocked(user, service, sql) as outcome:
            service.run("COMMIT")
        with user.refused(rule, "23503"):
            outcome.result()
        insert(service, "users", id=world.ann, oriva_user_id=world.ann, email="ann@example.org")
        begin(service, world.ann, world.app)


@pytest.mark.rule("HUGO-35", "accepts")
def test_an_account_is_deleted_with_what_arrived_just_before(connect: Callable[[], Person]) -> None:
    user, service = connect(), connect()
    world = build_world(service)
    earlier = begin(service, world.ann, world.app)
    user.run("BEGIN")
    say(user, earlier)
    say(user, begin(user, world.ann, world.app))
    insert(user, "user_progress", user_id=world.ann, app_id=world.app)
    with blocked(service, user, "DELETE FROM users WHERE id = %s", [world.ann]) as outcome:
        user.run("COMMIT")
    assert outcome.result() == 1
    assert not any(traces(service, world.ann).values())
