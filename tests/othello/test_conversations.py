"""Conversations and messages: whose they are, what they hold, and what the database keeps of them."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.othello.world import World, begin, say
from tests.people import Person, insert

OLD = "2020-01-01 00:00:00+00"


@pytest.mark.rule("OTH-21", "accepts")
def test_a_message_belongs_to_the_owner_of_its_conversation(db: Person, world: World) -> None:
    for user in (world.ann, world.bob):
        with user.acting(db):
            conversation = begin(db, user)
            filled, stated = say(db, conversation), say(db, conversation, user_id=user.id)
            owners = dict(db.rows("SELECT id, user_id FROM messages"))
            assert owners == {filled: user.id, stated: user.id}


@pytest.mark.rule("OTH-21", "accepts")
def test_the_service_speaks_in_every_conversation(db: Person, world: World) -> None:
    with db.as_service():
        for user in (world.ann, world.bob):
            conversation = begin(db, user)
            for role in ("user", "assistant", "system"):
                message = say(db, conversation, role=role, agent_name="FELLO", reasoning_trace='{"sub_agents": []}')
                assert db.value("SELECT user_id FROM messages WHERE id = %s", [message]) == user.id


@pytest.mark.rule("OTH-21", "accepts")
def test_many_messages_at_once_each_get_the_owner_of_their_conversation(db: Person, world: World) -> None:
    conversations = {begin(db, user): user.id for user in (world.ann, world.bob)}
    with db.as_service():
        db.run(
            "INSERT INTO messages (conversation_id, role, content) SELECT c, 'user', n::text"
            " FROM unnest(%s::bigint[]) AS c, generate_series(1, 50) AS n",
            [list(conversations)],
        )
    assert dict(db.rows("SELECT DISTINCT conversation_id, user_id FROM messages")) == conversations


@pytest.mark.rule("OTH-21", "refuses")
def test_a_message_with_another_owner_is_refused(db: Person, world: World) -> None:
    conversation = begin(db, world.ann)
    with db.as_service(), db.refused("messages_conversation_id_fkey", "23503"):
        say(db, conversation, user_id=world.bob.id)
    with world.ann.acting(db), db.refused(sqlstate="42501"):
        say(db, conversation, user_id=world.bob.id)
    with world.bob.acting(db):
        with db.refused("messages_conversation_id_fkey", "23503"):
            say(db, conversation, user_id=world.bob.id)
        with db.refused(sqlstate="42501"):
            say(db, conversation, user_id=world.ann.id)


@pytest.mark.rule("OTH-21", "refuses")
def test_the_conversation_of_another_is_a_missing_one(db: Person, world: World) -> None:
    others, missing = begin(db, world.bob), 2**40
    for person, conversations in ((world.ann.acting(db), [others, missing]), (db.as_service(), [missing])):
        said = set()
        with person:
            for conversation in conversations:
                with db.refused("messages_conversation_id_fkey", "23503") as caught:
                    say(db, conversation)
                said.add((caught.value.diag.message_primary, caught.value.diag.message_detail))
        assert len(said) == 1


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize("content", ["", " ", "\n\t", "\u00a0", "\u200b\ufeff"])
def test_blank_content_is_refused(db: Person, world: World, content: str) -> None:
    conversation = begin(db, world.ann)
    message = say(db, conversation)
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            with db.refused("messages_content_check", "23514"):
                say(db, conversation, content)
            with db.refused("messages_content_check", "23514"):
                db.run("UPDATE messages SET content = %s WHERE id = %s", [content, message])


@pytest.mark.rule("OTH-21", "accepts")
@pytest.mark.parametrize("content", [".", " x ", "☕", "ä" * 100000])
def test_any_visible_content_is_accepted(db: Person, world: World, content: str) -> None:
    with world.ann.acting(db):
        message = say(db, begin(db, world.ann), content)
        assert db.value("SELECT content FROM messages WHERE id = %s", [message]) == content


@pytest.mark.rule("OTH-21", "accepts")
@pytest.mark.parametrize("count", [0, 1, 2147483647, None])
def test_a_token_count_is_at_least_zero_or_unknown(db: Person, world: World, count: int | None) -> None:
    with db.as_service():
        message = say(db, begin(db, world.ann), token_count=count)
        assert db.value("SELECT token_count FROM messages WHERE id = %s", [message]) == count


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize("count", [-1, -2147483648])
def test_a_negative_token_count_is_refused(db: Person, world: World, count: int) -> None:
    with db.as_service():
        message = say(db, begin(db, world.ann))
        with db.refused("messages_token_count_check", "23514"):
            say(db, begin(db, world.ann), token_count=count)
        with db.refused("messages_token_count_check", "23514"):
            db.run("UPDATE messages SET token_count = %s WHERE id = %s", [count, message])


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize(
    ("table", "column"),
    [
        *(("messages", column) for column in ("conversation_id", "role", "content", "created_at", "updated_at")),
        *(("conversations", column) for column in ("user_id", "is_archived", "created_at", "updated_at")),
    ],
)
def test_what_every_row_has_cannot_be_null(db: Person, world: World, table: str, column: str) -> None:
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        if table == "messages":
            values = {"conversation_id": begin(db, world.ann), "role": "user", "content": "Hello", column: None}
            insert(db, table, user_id=world.ann.id, **values)
        else:
            insert(db, table, **{"user_id": world.ann.id, column: None})
    assert caught.value.diag.column_name == column


@pytest.mark.rule("OTH-21", "refuses")
def test_a_message_without_a_conversation_is_refused(db: Person, world: World) -> None:
    for person in (world.ann.acting(db), db.as_service()):
        with person, db.refused("messages_conversation_id_fkey", "23503"):
            insert(db, "messages", conversation_id=None, role="user", content="Hello")
    # A message always has an owner, also when no trigger fills one in.
    conversation = begin(db, world.ann)
    db.run("ALTER TABLE messages DISABLE TRIGGER messages_fill")
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        say(db, conversation)
    assert caught.value.diag.column_name == "user_id"


@pytest.mark.rule("OTH-21", "refuses")
def test_a_row_belongs_to_a_user_there_is(db: Person, world: World) -> None:
    with db.as_service():
        with db.refused("conversations_user_id_fkey", "23503"):
            insert(db, "conversations", user_id=2**40)
        conversation = begin(db, world.ann)
        message = say(db, conversation)
        with db.refused("conversations_pkey", "23505"):
            begin(db, world.bob, id=conversation)
        with db.refused("messages_pkey", "23505"):
            say(db, conversation, id=message)


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("messages", "conversation_id = (SELECT max(id) FROM conversations)"),
        ("messages", "user_id = user_id + 1"),
        ("messages", "id = id + 1000"),
        ("conversations", "user_id = user_id + 1"),
        ("conversations", "id = id + 1000"),
    ],
)
def test_a_row_stays_where_it_is(db: Person, world: World, table: str, change: str) -> None:
    conversation = begin(db, world.ann)
    row = {"conversations": conversation, "messages": say(db, conversation)}[table]
    begin(db, world.ann)
    for person in (world.ann.acting(db), db.as_service()):
        with person, db.refused(f"{table}_immutable_check", "23514"):
            db.run(f"UPDATE {table} SET {change} WHERE id = %s", [row])


@pytest.mark.rule("OTH-21", "accepts")
@pytest.mark.parametrize(("table", "column"), [("messages", "content"), ("conversations", "title")])
def test_a_whole_row_is_sent_back(db: Person, world: World, table: str, column: str) -> None:
    conversation = begin(db, world.ann, title="Walks")
    row = {"conversations": conversation, "messages": say(db, conversation)}[table]
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            values = db.row(f"SELECT * FROM {table} WHERE id = %s", [row])._asdict() | {column: "New"}
            settings = ", ".join(f"{name} = %({name})s" for name in values)
            assert db.run(f"UPDATE {table} SET {settings} WHERE id = %(id)s", values) == 1
            assert db.value(f"SELECT {column} FROM {table} WHERE id = %s", [row]) == "New"


# What the database keeps


@pytest.mark.parametrize("table", ["conversations", "messages"])
def test_the_times_of_a_row_are_the_databases(db: Person, world: World, table: str) -> None:
    def add(**columns: Any) -> int:
        if table == "messages":
            return say(db, begin(db, world.ann), user_id=world.ann.id, **columns)
        return begin(db, world.ann, **columns)

    times = {"created_at": OLD, "updated_at": OLD}
    now = f"SELECT created_at = now() AS created, updated_at = now() AS updated FROM {table} WHERE id = %s"
    with world.ann.acting(db):
        row = add(**times)
        assert db.row(now, [row]) == (True, True)
        db.run(f"UPDATE {table} SET created_at = %s, updated_at = %s WHERE id = %s", [OLD, OLD, row])
        assert db.row(now, [row]) == (True, True)
    # The service imports; what is there keeps the time of its beginning.
    with db.as_service():
        row = add(**times)
        assert db.row(now, [row]) == (False, False)
        db.run(f"UPDATE {table} SET created_at = now() WHERE id = %s", [row])
        assert db.row(now, [row]) == (False, True)
    with db.as_service():
        assert db.row(now, [add()]) == (True, True)


# Ids that users choose

TABLES = ["conversations", "messages", "user_preferences", "psychological_profiles", "consent_tiers"]


def ready(db: Person, world: World, table: str, *, mine: bool = True) -> dict[str, Any]:
    """Columns of a row that could be inserted, Ann's or Bob's."""
    user = world.ann if mine else world.bob
    columns: dict[str, Any] = {"user_id": user.id}
    if table == "messages":
        columns |= {"conversation_id": begin(db, user), "role": "user", "content": "Hello"}
    elif table == "user_preferences":
        columns |= {"preference_key": "theme"}
    elif table == "consent_tiers":
        columns |= {"scope": "health", "is_active": False}
    return columns


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize("table", TABLES)
def test_a_user_does_not_choose_the_id_of_a_new_row(db: Person, world: World, table: str) -> None:
    others = insert(db, table, **ready(db, world, table, mine=False))
    columns = ready(db, world, table)
    for chosen in (others, others + 1000, -1):
        with world.ann.acting(db), db.conn.transaction(force_rollback=True):
            assert others < insert(db, table, **columns, id=chosen) < others + 1000
    # The service imports rows with their ids.
    with db.as_service():
        assert insert(db, table, **columns, id=others + 1000) == others + 1000


@pytest.mark.rule("OTH-21", "accepts")
@pytest.mark.parametrize("table", TABLES)
def test_a_user_sends_a_row_of_their_own_back_by_upsert(db: Person, world: World, table: str) -> None:
    columns = ready(db, world, table)
    with world.ann.acting(db):
        row = insert(db, table, **columns)
        before = db.row(f"SELECT * FROM {table} WHERE id = %s", [row])._asdict()
        count = db.value(f"SELECT count(*) FROM {table}")
        names, marks = ", ".join(before), ", ".join(f"%({name})s" for name in before)
        settings = ", ".join(f"{name} = excluded.{name}" for name in before)
        values = {name: Jsonb(value) if isinstance(value, (dict, list)) else value for name, value in before.items()}
        upsert = (
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET {settings} RETURNING id"
        )
        assert db.value(upsert, values) == row
        assert db.value(f"SELECT count(*) FROM {table}") == count
        assert db.row(f"SELECT * FROM {table} WHERE id = %s", [row])._asdict() == before


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize("table", ["conversations", "messages"])
def test_an_upsert_of_anothers_row_makes_a_new_one(db: Person, world: World, table: str) -> None:
    others = insert(db, table, **ready(db, world, table, mine=False))
    before = db.row(f"SELECT * FROM {table} WHERE id = %s", [others])
    columns = ready(db, world, table) | {"id": others}
    names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
    with world.ann.acting(db):
        row = db.value(
            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id"
            " RETURNING id",
            columns,
        )
    assert row != others
    assert db.row(f"SELECT * FROM {table} WHERE id = %s", [others]) == before


@pytest.mark.rule("OTH-21", "refuses")
@pytest.mark.parametrize("table", ["conversations", "messages"])
def test_no_api_role_deletes_what_was_said(db: Person, world: World, table: str) -> None:
    say(db, begin(db, world.ann))
    for person in (world.ann.acting(db), db.as_service()):
        with person:
            for sql in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with db.refused(sqlstate="42501"):
                    db.run(sql)
